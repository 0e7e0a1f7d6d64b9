import { afterEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DaemonClient } from "../../src/cli/client.ts";
import { checkpointName, keepCheckpoint, outdatedCheckpoints } from "../../src/cli/kept-checkpoints.ts";
import type { RequestHandler } from "../../src/platform/platform.ts";
import { closeHomes, homeWithDaemon } from "./daemon-home.ts";

afterEach(closeHomes);

const secondsOf2026 = (seconds: number): number => Date.UTC(2026, 0, 1, 0, 0, seconds);

/** A client of something that answers like a daemon, and a folder for its checkpoints. */
function setup(handler: RequestHandler) {
  const { folder } = homeWithDaemon(handler);
  const path = join(folder, ".local", "share", "segue", "segue.sock");
  return { client: new DaemonClient({ kind: "socket", path }), checkpoints: join(folder, "checkpoints") };
}

test("names of checkpoints that are outdated are all but the last five", () => {
  const names = Array.from({ length: 8 }, (_, at) => checkpointName(secondsOf2026(5 + at)));
  const shuffled = ["notes.json", ...names.toReversed(), ".2026.json.12.new"];
  expect(outdatedCheckpoints(shuffled)).toEqual(names.slice(0, 3));
  expect(outdatedCheckpoints(names.slice(0, 5))).toEqual([]);
});

test("the last five checkpoints are kept, for their owner alone, and what is none is left alone", async () => {
  let taken = 0;
  const { client, checkpoints } = setup(() => new Response(`{"taken":${++taken},"active":[]}\n`));
  mkdirSync(checkpoints);
  writeFileSync(join(checkpoints, "notes.txt"), "mine");
  for (let at = 0; at < 7; at++) await keepCheckpoint(client, checkpoints, secondsOf2026(at));
  const kept = [2, 3, 4, 5, 6].map((at) => checkpointName(secondsOf2026(at)));
  expect(readdirSync(checkpoints).toSorted()).toEqual([...kept, "notes.txt"].toSorted());
  expect(kept.map((name) => JSON.parse(readFileSync(join(checkpoints, name), "utf8")).taken)).toEqual([
    3, 4, 5, 6, 7,
  ]);
  expect(statSync(join(checkpoints, kept[0] ?? "")).mode & 0o777).toBe(0o600);
});

test.each([
  ["is refused", () => new Response(`{"code":"storage","detail":"no room"}`, { status: 503 })],
  ["is cut", () => new Response(`{"sessions":[{"id":`)],
])("a checkpoint that %s leaves nothing behind and costs no earlier one", async (_, answer) => {
  const { client, checkpoints } = setup(answer);
  mkdirSync(checkpoints);
  const earlier = Array.from({ length: 5 }, (_, at) => checkpointName(secondsOf2026(at)));
  for (const name of earlier) writeFileSync(join(checkpoints, name), "{}");
  const outcome = await keepCheckpoint(client, checkpoints, secondsOf2026(9)).catch(() => "failed");
  expect(outcome).toBe("failed");
  expect(readdirSync(checkpoints).toSorted()).toEqual(earlier);
});
