import { afterEach, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { closeHomes, homeWithDaemon } from "./daemon-home.ts";
import { makeHome, type Home } from "./segue.ts";

afterEach(closeHomes);

const stdin = JSON.stringify({ hook_event_name: "SessionStart", source: "startup", cwd: "/code/my project" });

function pageOf(...summaries: string[]): object {
  const items = summaries.map((summary, n) => ({
    session: "claude-code:1",
    project: "/code/my project",
    at: `2026-03-0${3 - n}T00:00:00.000Z`,
    summary,
    message: `msg_${n}`,
  }));
  return { items, next: null };
}

function remembering(memories: number, page: object): { home: Home; asked: string[] } {
  const asked: string[] = [];
  const home = homeWithDaemon((request) => {
    const { pathname, search } = new URL(request.url);
    asked.push(pathname + search);
    return Response.json(pathname === "/api/settings" ? { settings: { agents: { memories } } } : page);
  });
  return { home, asked };
}

/** What the hook wrote about why it printed nothing; the times are left out. */
function logOf(home: Home): string[] {
  const path = join(home.folder, ".local", "share", "segue", "hook.log");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, ""));
}

test("a starting agent is given as many summaries of its project as agents.memories says", async () => {
  const { home, asked } = remembering(2, pageOf("newer", "older"));
  const run = await home.segue(["hook", "claude-code"], { stdin });
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  expect(asked).toEqual(["/api/settings", "/api/memory?project=%2Fcode%2Fmy%20project&limit=2"]);
  const { hookSpecificOutput } = JSON.parse(run.stdout);
  expect(hookSpecificOutput).toEqual({
    hookEventName: "SessionStart",
    additionalContext: expect.stringMatching(/older[^]*newer/),
  });
  expect(logOf(home)).toEqual([]);
});

test("where nothing is remembered, or nothing wanted, nothing is printed and nothing is wrong", async () => {
  for (const { home } of [remembering(3, pageOf()), remembering(0, pageOf("x"))]) {
    expect(await home.segue(["hook", "claude-code"], { stdin })).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "",
    });
    expect(logOf(home)).toEqual([]);
  }
});

test("no daemon, a silent one, a bad answer and a bad event: nothing printed, exit 0, one line in the log", async () => {
  const silent = homeWithDaemon(() => new Promise(() => {}));
  const wrong = homeWithDaemon(() => new Response("<html>"));
  const refusing = homeWithDaemon(() =>
    Response.json({ code: "storage", detail: "no disk" }, { status: 503 }),
  );
  const cases: [Home, string, string, string][] = [
    [makeHome(), "claude-code", stdin, "No daemon answers"],
    [silent, "claude-code", stdin, "did not answer within"],
    [wrong, "claude-code", stdin, "does not speak like Segue"],
    [refusing, "claude-code", stdin, "no disk"],
    [makeHome(), "claude-code", "{", "JSON"],
    [makeHome(), "claude-code", "{}", "cwd"],
    [makeHome(), "no-such-agent", stdin, "no-such-agent"],
  ];
  for (const [home, agent, given, reason] of cases) {
    const run = await home.segue(["hook", agent], { stdin: given });
    expect(run).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    expect(logOf(home)).toEqual([expect.stringContaining(reason)]);
  }
});

test("where no log can be written either, the agent is not failed for it", async () => {
  const home = makeHome();
  writeFileSync(join(home.folder, "file"), "");
  const run = await home.segue(["hook", "claude-code", "--data", join(home.folder, "file")], { stdin });
  expect(run).toEqual({ exitCode: 0, stdout: "", stderr: "" });
});

test("memory prints the summaries of a project, newest first; --json what the API returned", async () => {
  const { home, asked } = remembering(3, pageOf("newer", "older\n"));
  const run = await home.segue(["memory", "/code/my project"]);
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  expect(run.stdout).toBe(
    "2026-03-03T00:00:00.000Z  claude-code:1\nnewer\n\n2026-03-02T00:00:00.000Z  claude-code:1\nolder\n",
  );
  expect(asked).toEqual(["/api/memory?project=%2Fcode%2Fmy%20project&limit=100"]);
  const json = await home.segue(["memory", "/code/my project", "--json"]);
  expect(JSON.parse(json.stdout)).toEqual(pageOf("newer", "older\n"));
});

test("memory asks for the current folder where none is given, and says where nothing is remembered", async () => {
  const { home, asked } = remembering(3, pageOf());
  const run = await home.segue(["memory"]);
  expect(run).toMatchObject({ exitCode: 0, stdout: "" });
  expect(run.stderr).toContain(`Nothing is remembered of ${home.folder}`);
  expect(asked).toEqual([`/api/memory?project=${encodeURIComponent(home.folder)}&limit=100`]);
});
