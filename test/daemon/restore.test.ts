import { afterEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import { SegueError } from "../../src/core/errors.ts";
import { dataFolder, lockDataFolder, makeDataFolder } from "../../src/daemon/instance.ts";
import { restoreCheckpoint } from "../../src/daemon/restore.ts";
import { openDatabase } from "../../src/platform/bun.ts";
import { startApp, stopApps } from "../http/daemon-app.ts";
import { closeStores, openOnDisk } from "../store/disk-store.ts";
import { makeFolder } from "../support/workspace.ts";

afterEach(stopApps);
afterEach(closeStores);

interface Checkpoint {
  version: number;
  sessions: { id: string; queue: Record<string, unknown>[]; context: Record<string, unknown>[] }[];
}

/** What a daemon wrote with one exchange, one message in flight and one pending, as a file beside an empty data folder. */
async function setup(change: (checkpoint: Checkpoint) => unknown = (checkpoint) => checkpoint) {
  const app = await startApp();
  await app.done("a", "hello");
  await app.edit({ providers: { echo: { delayMs: 60_000 } } });
  await app.post("a", "in flight");
  await app.post("a", "pending");
  await app.clock.settle();
  const checkpoint = await app.json<Checkpoint>("/api/daemon/checkpoint", { method: "POST" });
  const folder = makeFolder("restore");
  const file = join(folder, "checkpoint.json");
  const changed = change(checkpoint);
  writeFileSync(file, typeof changed === "string" ? changed : JSON.stringify(changed));
  const dataDir = join(folder, "data");
  return { file, dataDir, restore: () => restoreCheckpoint(file, { dataDir, clock: systemClock }) };
}

async function refusalOf(asked: Promise<unknown>): Promise<SegueError> {
  const thrown: unknown = await asked.then(
    () => undefined,
    (reason) => reason,
  );
  if (thrown instanceof SegueError) return thrown;
  throw new Error(`it was not refused: ${String(thrown)}`);
}

test("what a daemon wrote is put back: the context stays, what was in flight is pending and uncounted", async () => {
  const { restore, dataDir } = await setup();
  expect(await restore()).toEqual({ sessions: 1, pending: 2 });
  const { store } = openOnDisk(dataFolder(dataDir).store);
  const { items } = await store.messages.list({ session: "a" }, { limit: 10, cursor: null });
  expect(
    items.map(({ seq, content, status, attempts, reply }) => [seq, content, status, attempts, reply]),
  ).toEqual([
    [1, "hello", "done", 1, "hello"],
    [2, "in flight", "pending", 0, null],
    [3, "pending", "pending", 0, null],
  ]);
  expect(await store.messages.context("a", 1, 2)).toEqual([
    { seq: 1, note: null, content: "hello", reply: "hello" },
  ]);
});

test("what is there already is named, and nothing is put back twice", async () => {
  const { restore, dataDir } = await setup();
  await restore();
  const refused = await refusalOf(restore());
  expect(refused).toMatchObject({ code: "session_exists", exitCode: 1 });
  expect(refused.problems?.map(({ path }) => path.replace(/msg_.*/, "ID"))).toEqual([
    "session a",
    "message ID",
    "message ID",
    "message ID",
  ]);
  const { store } = openOnDisk(dataFolder(dataDir).store);
  expect((await store.messages.list({}, { limit: 10, cursor: null })).items).toHaveLength(3);
});

test("a data folder that a daemon holds is left alone", async () => {
  const { restore, dataDir } = await setup();
  const folder = dataFolder(dataDir);
  await makeDataFolder(folder);
  const release = await lockDataFolder(folder, openDatabase);
  expect(await refusalOf(restore())).toMatchObject({ code: "already_running", exitCode: 3 });
  release();
  expect(await restore()).toMatchObject({ sessions: 1 });
});

test.each<[string, string, (checkpoint: Checkpoint) => unknown]>([
  ["a text that was cut", "malformed", (given) => JSON.stringify(given).slice(0, -9)],
  ["another version", "invalid", (given) => ({ ...given, version: 2 })],
  [
    "a message without an id",
    "invalid",
    (given) => {
      delete given.sessions[0]?.queue[0]?.["id"];
      return given;
    },
  ],
  [
    "a context that holds what is not done",
    "invalid",
    (given) => {
      given.sessions[0]?.context.push(...given.sessions[0].queue.splice(0, 1));
      return given;
    },
  ],
  [
    "a session twice",
    "invalid",
    (given) => ({ ...given, sessions: given.sessions.flatMap((one) => [one, one]) }),
  ],
  [
    "a seq twice",
    "invalid",
    (given) => {
      for (const message of given.sessions[0]?.queue ?? []) message["seq"] = 7;
      return given;
    },
  ],
])("%s is refused as %s, and nothing is made", async (_what, code, change) => {
  const { restore, dataDir } = await setup(change);
  expect(await refusalOf(restore())).toMatchObject({ code, exitCode: 1 });
  expect(await Bun.file(dataFolder(dataDir).store).exists()).toBe(false);
});
