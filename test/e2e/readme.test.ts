import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readPage } from "../guide/page.ts";
import { projectFolder } from "../support/binary.ts";
import { cleanEnv, runChild, startChild } from "../support/processes.ts";
import { startSegue, type Segue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";
import type { MessageAnswer } from "./answers.ts";

setDefaultTimeout(60_000);

const hasCurl = Bun.which("curl") !== null;

test("the README has two commands that package.json knows", () => {
  const { scripts, engines }: { scripts: Record<string, string>; engines: { bun: string } } = JSON.parse(
    readFileSync(join(projectFolder, "package.json"), "utf8"),
  );
  const { text } = readPage("README.md");
  const commands = Array.from(text.matchAll(/^npx --yes bun@(?<version>\S+) (run )?(?<script>\w+)/gm));
  expect(commands.map(({ groups }) => groups?.["script"])).toEqual(["start", "test"]);
  for (const { groups } of commands) {
    expect(scripts[groups?.["script"] ?? ""]).toBeDefined();
    expect(engines.bun).toBe(`>=${groups?.["version"]}`);
  }
  expect(scripts["start"]).toMatch(/dist\/segue serve .*--tips$/);
});

test.skipIf(!hasCurl)("what start prints to try works as it is printed", async () => {
  const segue = await startSegue({ settings: {}, args: ["--tips"] });
  await segue.process.waitForOutput(/curl -N .*\n/);
  const lines = segue.process.stdout.split("\n").map((line) => line.trim());
  const commands = lines.filter((line) => line.startsWith("curl "));
  expect(commands).toHaveLength(3);
  for (const command of commands) {
    expect(command).toContain(segue.url);
    await expectToldTruth(segue, command);
  }
  await segue.stop();
});

/** A command that waits gets its reply, one that follows shows what happened, and all are answered well. */
async function expectToldTruth(segue: Segue, command: string): Promise<void> {
  const folder = makeFolder("reader");
  const line = command.replace(/^curl /, "curl -sS --fail-with-body ");
  const how = { command: ["sh", "-c", line], cwd: folder, env: cleanEnv(folder) };
  if (/ -N /.test(line)) {
    const following = startChild(how);
    await following.waitForOutput(/^event: message\.done$/m);
    await following.kill();
    return;
  }
  const { exitCode, stdout, stderr } = await runChild(how);
  expect({ command, exitCode, stderr }).toEqual({ command, exitCode: 0, stderr: "" });
  const answer: Partial<MessageAnswer> = JSON.parse(stdout);
  if (command.includes("wait=")) expect(answer).toMatchObject({ status: "done", reply: answer.content });
  expect((await segue.get<MessageAnswer>(`/api/messages/${answer.id}`)).session).toBe(answer.session ?? "");
}
