import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../support/binary.ts";
import { cleanEnv, runChild, startChild } from "../support/processes.ts";
import { runSegue, startSegue, type Segue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";
import type { MessageAnswer, PageAnswer } from "./answers.ts";
import { EventTape } from "./event-tape.ts";
import { saveSettings } from "./settings-file.ts";

setDefaultTimeout(60_000);

const readme = readFileSync(join(projectFolder, "README.md"), "utf8");
/** The address that the README speaks of. */
const written = "http://127.0.0.1:4747";
const hasCurl = Bun.which("curl") !== null;

interface Block {
  language: string;
  text: string;
}

const blocks: readonly Block[] = Array.from(
  readme.matchAll(/^```(?<language>\w+)\n(?<text>[^]*?)^```$/gm),
  ({ groups }) => ({ language: groups?.["language"] ?? "", text: groups?.["text"] ?? "" }),
);

/** The commands of a block, without comments; a backslash at the end of a line joins it to the next. */
function commandsIn(text: string): string[] {
  return text
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** What a command of the README printed; one that follows events is ended once it shows some. */
async function printed(segue: Segue, command: string): Promise<string> {
  const folder = makeFolder("reader");
  const line = command.replaceAll(written, segue.url).replace(/^curl /, "curl -sS --fail-with-body ");
  const how = { command: ["sh", "-c", line], cwd: folder, env: cleanEnv(folder) };
  if (/ -N /.test(line)) {
    const following = startChild(how);
    await following.waitForOutput(/^event: message\.done$/m);
    await following.kill();
    return following.stdout;
  }
  const { exitCode, stdout, stderr } = await runChild(how);
  const problem = exitCode === 0 ? "" : stdout;
  expect({ command, exitCode, stderr, problem }).toEqual({ command, exitCode: 0, stderr: "", problem: "" });
  return stdout;
}

async function startAsWritten(args: readonly string[] = []): Promise<Segue> {
  const folder = makeFolder("reader");
  const settingsPath = join(folder, "settings.json");
  expect((await runSegue(["init", "--settings", settingsPath])).exitCode).toBe(0);
  return startSegue({ dataDir: join(folder, "data"), settingsPath, args });
}

describe("the README", () => {
  test("has two commands that package.json knows", () => {
    const { scripts, engines }: { scripts: Record<string, string>; engines: { bun: string } } = JSON.parse(
      readFileSync(join(projectFolder, "package.json"), "utf8"),
    );
    const commands = Array.from(readme.matchAll(/^npx --yes bun@(?<version>\S+) (run )?(?<script>\w+)/gm));
    expect(commands.map(({ groups }) => groups?.["script"])).toEqual(["start", "test"]);
    for (const { groups } of commands) {
      expect(scripts[groups?.["script"] ?? ""]).toBeDefined();
      expect(engines.bun).toBe(`>=${groups?.["version"]}`);
    }
    expect(scripts["start"]).toMatch(/dist\/segue serve .*--tips$/);
  });

  test.skipIf(!hasCurl)("has a tour that works as it is written, block by block", async () => {
    const segue = await startAsWritten();
    const tape = new EventTape();
    await tape.follow(segue);
    const ran: string[] = [];
    for (const { language, text } of blocks) {
      if (language === "jsonc") {
        const known = tape.all("settings.changed").length;
        saveSettings(segue.settingsPath, text, "replaced by a rename");
        await tape.until("the edit is in force", () => tape.all("settings.changed").length > known);
        ran.push("edit");
      }
      if (language !== "sh") continue;
      for (const command of commandsIn(text).filter((line) => line.startsWith("curl "))) {
        ran.push(command);
        await expectToldTruth(segue, command);
      }
    }
    expect(ran.length).toBeGreaterThanOrEqual(7);
    expect(ran).toContain("edit");
    const { items } = await segue.get<PageAnswer<MessageAnswer>>("/api/sessions/notes/messages");
    expect(items.map(({ status }) => status)).toEqual(items.map(() => "done"));
    expect(new Set(items.map(({ provider }) => provider)).size).toBe(2);
    await tape.stop();
    expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
  });

  test("names in its table the commands there are", async () => {
    const { stdout } = await runSegue(["--help"]);
    const known = Array.from(
      stdout.matchAll(/^ {2}(?<name>[a-z]+)[ |].*$/gm),
      ({ groups }) => groups?.["name"],
    );
    // A row may tell of several: of `segue set` and of `segue unset`.
    const rows = Array.from(
      readme.matchAll(/^\| (?<cell>`segue [^\n]*?) \| /gm),
      ({ groups }) => groups?.["cell"] ?? "",
    );
    const told = rows.flatMap((cell) =>
      Array.from(cell.matchAll(/`segue (?<name>[a-z]+)/g), ({ groups }) => groups?.["name"]),
    );
    expect(told.length).toBeGreaterThan(5);
    expect(told.filter((name) => !known.includes(name))).toEqual([]);
    expect(known.filter((name) => name !== "help" && !told.includes(name))).toEqual([]);
  });

  test("has a settings block that is valid as it is written", async () => {
    const folder = makeFolder("reader");
    const path = join(folder, "settings.json");
    for (const { text } of blocks.filter(({ language }) => language === "jsonc")) {
      saveSettings(path, text, "written in place");
      expect(await runSegue(["check", path])).toMatchObject({ exitCode: 0 });
    }
  });
});

test.skipIf(!hasCurl)("what start prints to try works as it is printed", async () => {
  const segue = await startAsWritten(["--tips"]);
  await segue.process.waitForOutput(/curl -N .*\n/);
  const lines = commandsIn(segue.process.stdout).filter((line) => line.startsWith("curl "));
  expect(lines).toHaveLength(3);
  for (const line of lines) {
    expect(line).toContain(segue.url);
    await expectToldTruth(segue, line);
  }
  await segue.stop();
});

/** A command that waits gets its reply, one with a key makes no second message, and all others are answered well. */
async function expectToldTruth(segue: Segue, command: string): Promise<void> {
  const text = await printed(segue, command);
  if (/ -N /.test(command)) return;
  const answer: Partial<MessageAnswer> = JSON.parse(text);
  if (command.includes("wait=")) expect(answer).toMatchObject({ status: "done", reply: answer.content });
  if (command.includes("Idempotency-Key"))
    expect(JSON.parse(await printed(segue, command))).toMatchObject({ id: answer.id, seq: answer.seq });
}
