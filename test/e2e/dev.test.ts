import { expect, setDefaultTimeout, test } from "bun:test";
import {
  constants,
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ensureBinary, projectFolder } from "../support/binary.ts";
import { eventually } from "../support/eventually.ts";
import { isRunning } from "../support/processes.ts";
import { makeFolder } from "../support/workspace.ts";
import type { MessageAnswer, PageAnswer } from "./answers.ts";
import { Developing } from "./developing.ts";

setDefaultTimeout(60_000);

/** Turns of sessions on `slow` outlast the second of a drain. */
const settings = {
  provider: "quick",
  providers: {
    quick: { kind: "echo", model: "quick", delayMs: 15 },
    slow: { kind: "echo", model: "slow", delayMs: 4000 },
  },
};

/** A copy of the source, and how to run and edit it. */
function copySource(folder: string) {
  const source = join(folder, "project", "src");
  cpSync(join(projectFolder, "src"), source, { recursive: true });
  for (const name of ["package.json", "tsconfig.json", "bunfig.toml"])
    copyFileSync(join(projectFolder, name), join(folder, "project", name));
  symlinkSync(join(projectFolder, "node_modules"), join(folder, "project", "node_modules"));
  const edit = (path: string, old: string, next: string): void => {
    const text = readFileSync(join(source, path), "utf8");
    if (!text.includes(old)) throw new Error(`${path} has no ${old}`);
    writeFileSync(join(source, path), text.replace(old, next));
  };
  return { command: [process.execPath, join(source, "main.ts")], edit };
}

/** Posts to two sessions until it is stopped; answers what was accepted, by session. */
function load(developing: Developing) {
  const accepted: Record<string, string[]> = { a: [], b: [] };
  const stop = new AbortController();
  const posting = Object.entries(accepted).map(async ([session, contents]) => {
    while (!stop.signal.aborted) {
      const content = `${session} says ${contents.length}`;
      await developing.post(session, content);
      contents.push(content);
      await Bun.sleep(25);
    }
  });
  return async (): Promise<Record<string, string[]>> => {
    stop.abort();
    await Promise.all(posting);
    return accepted;
  };
}

async function messagesOf(developing: Developing, session: string): Promise<MessageAnswer[]> {
  const path = `/api/sessions/${session}/messages?limit=1000`;
  return (await developing.get<PageAnswer<MessageAnswer>>(path)).items;
}

async function untilBusy(developing: Developing, session: string): Promise<void> {
  await eventually(`a turn of ${session}`, async () => {
    const { state } = await developing.get<{ state: string }>(`/api/sessions/${session}`);
    return state === "busy";
  });
}

async function postToSlow(developing: Developing): Promise<void> {
  await developing.ask("/api/sessions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ id: "long", provider: "slow" }),
  });
  await developing.post("long", "long says 0");
  await untilBusy(developing, "long");
}

test("source that is edited, broken and mended under load: nothing is lost, and all stays in order", async () => {
  const folder = makeFolder("dev");
  const { command, edit } = copySource(folder);
  const developing = new Developing(folder, command, settings);
  await developing.served(1);
  const stopLoad = load(developing);
  await postToSlow(developing);

  edit(
    "providers/echo.ts",
    `yield { type: "text", text }`,
    `yield { type: "text", text: text.toUpperCase() }`,
  );
  await developing.served(2);
  edit("daemon/core.ts", "export async function", "export async = function");
  await developing.child.waitForOutput(/daemon\/core\.ts:\d+:\d+: .+\n/);
  await developing.child.waitForOutput(/^The program did not start \(exit code 1\).* at the next change\.$/m);
  edit("daemon/core.ts", "export async = function", "export async function");
  await developing.served(3);

  const accepted: Record<string, string[]> = { ...(await stopLoad()), long: ["long says 0"] };
  expect(Math.min(accepted["a"]?.length ?? 0, accepted["b"]?.length ?? 0)).toBeGreaterThan(20);
  for (const [session, contents] of Object.entries(accepted)) {
    const messages = await eventually(`all of ${session} is done`, async () => {
      const items = await messagesOf(developing, session);
      return items.every(({ status }) => status === "done") ? items : undefined;
    });
    expect(messages.map(({ content }) => content)).toEqual(contents);
    expect(messages.at(-1)?.reply).toBe(contents.at(-1)?.toUpperCase());
  }
  developing.child.signal("SIGTERM");
  expect(await developing.child.ended()).toEqual({ exitCode: 0, signal: null });

  const events = developing.storedEvents();
  for (const [session, contents] of Object.entries(accepted)) {
    const done = events.filter(({ type, data }) => type === "message.done" && data["session"] === session);
    expect(done.map(({ data }) => data["seq"])).toEqual(contents.map((_, at) => at + 1));
  }
  const requeued = events.filter(
    ({ type, data }) => type === "message.requeued" && data["session"] === "long",
  );
  expect(requeued[0]?.data).toMatchObject({ seq: 1, reason: "daemon_restart" });
  const [edited, mended] = developing.gaps();
  // The turn in flight was waited for, and that was not Segue's part.
  expect((edited?.totalMs ?? 0) - (edited?.ownMs ?? 0)).toBeGreaterThan(900);
  expect(mended?.ownMs).toBe(mended?.totalMs);
  const [checkpoint] = developing.checkpoints();
  expect(checkpoint?.sessions.map(({ id }) => id).toSorted()).toEqual(["a", "b", "long"]);
});

test("an executable that is replaced is run anew, and ends when segue dev is killed", async () => {
  const folder = makeFolder("dev");
  const executable = join(folder, "segue");
  const copyTo = async (path: string): Promise<void> =>
    copyFileSync(await ensureBinary(), path, constants.COPYFILE_FICLONE);
  await copyTo(executable);
  const developing = new Developing(folder, [executable], settings);
  await developing.served(1);
  const first = await developing.daemonPid();
  await developing.post("a", "kept");
  await copyTo(join(folder, "segue.new"));
  renameSync(join(folder, "segue.new"), executable);
  await developing.served(2);
  const second = await developing.daemonPid();
  expect(isRunning(first)).toBe(false);
  expect(second).not.toBe(first);
  expect((await messagesOf(developing, "a")).map(({ content }) => content)).toEqual(["kept"]);
  expect(developing.gaps()).toHaveLength(1);

  developing.child.signal("SIGKILL");
  await developing.child.ended();
  await eventually("the daemon has ended too", () => !isRunning(second));
});

test("what is given with --watch counts too; a second SIGINT ends a drain at once, with 130", async () => {
  const folder = makeFolder("dev");
  const watched = join(folder, "watched");
  mkdirSync(watched);
  const developing = new Developing(folder, [await ensureBinary()], settings, ["--watch", watched]);
  await developing.served(1);
  writeFileSync(join(watched, "prompt.md"), "new");
  await developing.served(2);
  await postToSlow(developing);
  const daemon = await developing.daemonPid();
  developing.child.signal("SIGINT");
  await eventually("it drains", () => drains(developing) === 2);
  developing.child.signal("SIGINT");
  expect(await developing.child.ended()).toEqual({ exitCode: 130, signal: null });
  expect(isRunning(daemon)).toBe(false);
});

function drains(developing: Developing): number {
  return [...developing.child.stderr.matchAll(/"message":"draining"/g)].length;
}

test("a second one on the same folder ends with 3, a path that is not there with 2", async () => {
  const folder = makeFolder("dev");
  const binary = await ensureBinary();
  const developing = new Developing(folder, [binary], settings);
  await developing.served(1);
  const again = new Developing(folder, [binary], settings);
  expect(await again.child.ended()).toMatchObject({ exitCode: 3 });
  expect(again.child.stderr).toContain(`pid ${await developing.daemonPid()}`);
  const lost = new Developing(folder, [binary], settings, ["--watch", join(folder, "nowhere")]);
  expect(await lost.child.ended()).toMatchObject({ exitCode: 2 });
  expect(lost.child.stderr).toContain(join(folder, "nowhere"));
  developing.child.signal("SIGTERM");
  expect(await developing.child.ended()).toMatchObject({ exitCode: 0 });
});
