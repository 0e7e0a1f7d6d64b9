import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../support/ports.ts";
import { startSegue, type Segue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";
import type { MessageAnswer } from "./answers.ts";
import { messagesOf } from "./conversations.ts";
import { daemonOf, instanceOf, portOf, restarted } from "./restarting.ts";

const note =
  "[system] The daemon restarted due to a configuration change. " +
  "Your session state has been recovered from the last checkpoint.";

/**
 * A program that answers what it was given. Told to move, it first says that it begins, rewrites the port in the
 * settings of the daemon that runs it, and talks on for three seconds.
 */
function writeAgent(folder: string, settingsPath: string): string {
  const path = join(folder, "agent");
  const source = `#!${process.execPath}
import { readFileSync, renameSync, writeFileSync } from "node:fs";
const input = JSON.parse(await Bun.stdin.text());
const [order, port] = input.content.split(" ");
if (order === "move") {
  process.stdout.write("I begin. ");
  const settings = JSON.parse(readFileSync(${JSON.stringify(settingsPath)}, "utf8"));
  settings.server.port = Number(port);
  writeFileSync(${JSON.stringify(`${settingsPath}.new`)}, JSON.stringify(settings));
  renameSync(${JSON.stringify(`${settingsPath}.new`)}, ${JSON.stringify(settingsPath)});
  for (let second = 1; second <= 3; second++) {
    await Bun.sleep(1000);
    process.stdout.write("Second " + second + ". ");
  }
  process.stdout.write("I end.");
} else process.stdout.write(JSON.stringify(input));
`;
  writeFileSync(path, source);
  chmodSync(path, 0o755);
  return path;
}

async function startAgent(port: number): Promise<Segue> {
  const folder = makeFolder("incident");
  const settingsPath = join(folder, "settings.json");
  const settings = {
    provider: "command",
    providers: { command: { argv: [writeAgent(folder, settingsPath)] } },
    server: { port },
    reload: { debounceMs: 50 },
  };
  return startSegue({ dataDir: join(folder, "data"), settingsPath, settings, port: "settings" });
}

function ask(segue: Segue, content: string): Promise<MessageAnswer> {
  return segue.post("/api/sessions/agent/messages", { content }, { Prefer: "wait=30" });
}

test("a turn that moves the daemon in its own middle ends with its whole reply, and the next one knows of it", async () => {
  const [port, other] = [await freePort(), await freePort()];
  const segue = await startAgent(port);
  const first = await ask(segue, "hello");
  expect(first).toMatchObject({ status: "done", seq: 1 });
  const before = instanceOf(segue);
  const moving = ask(segue, `move ${other}`);
  const draining = await segue.nextEvent(0, ({ type }) => type === "daemon.draining");
  expect(draining.data).toMatchObject({ reason: "configuration", inFlight: 1 });
  const meanwhile = await segue.post<MessageAnswer>("/api/sessions/agent/messages", {
    content: "what was that",
  });
  expect(meanwhile).toMatchObject({ status: "pending", seq: 3 });
  const there = await restarted(segue, before);
  expect(portOf(there)).toBe(other);

  const reply = "I begin. Second 1. Second 2. Second 3. I end.";
  expect(await moving).toMatchObject({ seq: 2, status: "done", reply, attempts: 1 });
  const next = await there.nextEvent(
    0,
    ({ type, data }) => type === "message.done" && data["message"] === meanwhile.id,
  );
  const messages = await messagesOf(there, "agent");
  expect(messages.map(({ seq, status, error }) => ({ seq, status, error }))).toEqual(
    [1, 2, 3].map((seq) => ({ seq, status: "done", error: null })),
  );
  expect(messages[1]).toMatchObject({ reply, attempts: 1 });

  // What the next turn was given: all that was said, and the note as the last of it.
  const heard: { turns: { role: string; content: string }[]; content: string } = JSON.parse(
    messages[2]?.reply ?? "",
  );
  expect(heard.content).toBe("what was that");
  expect(heard.turns.slice(0, 4)).toEqual([
    { role: "user", content: "hello" },
    { role: "assistant", content: messages[0]?.reply ?? "" },
    { role: "user", content: `move ${other}` },
    { role: "assistant", content: reply },
  ]);
  expect(heard.turns.slice(4).filter(({ content }) => content === note)).toHaveLength(1);

  // Told once: the turn after that has it where it was said, and no second one.
  const last = JSON.parse((await ask(there, "and now")).reply ?? "");
  const said: string[] = last.turns.map((turn: { content: string }) => turn.content);
  expect(said.filter((content) => content === note)).toHaveLength(1);
  expect(said.indexOf(note)).toBeLessThan(said.indexOf("what was that"));

  const ends: unknown[] = [];
  for await (const { id, type, data } of there.events(0)) {
    if (type === "message.done") ends.push(data["message"]);
    expect(type).not.toBe("message.requeued");
    if (id !== undefined && id > (next.id ?? 0) && ends.length === 4) break;
  }
  expect(ends).toEqual((await messagesOf(there, "agent")).map(({ id }) => id));
  expect((await daemonOf(there)).lastRestart).toMatchObject({
    reason: "configuration",
    sessions: [{ id: "agent", turns: 2, subscribers: 0 }],
    requeued: 0,
    timedOut: 0,
  });
  await there.stop();
});
