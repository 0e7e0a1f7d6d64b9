import { expect, test } from "bun:test";
import { join } from "node:path";
import type { WatchFolder } from "../../src/watch/folder-watch.ts";
import type { HintKind } from "../../src/watch/path-watcher.ts";
import { PathWatchers } from "../../src/watch/path-watchers.ts";
import { SharedWatchers } from "../../src/watch/shared-watchers.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { makeFolder } from "../support/workspace.ts";

/** Two files that are not there, whose folder tells what the test says. */
function setup(onHint: (kind: HintKind) => void = () => {}) {
  const folder = makeFolder("paths");
  const clock = new ManualClock();
  const tell: ((name: string) => void)[] = [];
  const watchFolder: WatchFolder = (_folder, listener) => {
    const told = (name: string): void => listener.onEvent(name);
    tell.push(told);
    return { close: () => void tell.splice(tell.indexOf(told), 1) };
  };
  const hints: HintKind[] = [];
  const faults: unknown[] = [];
  const watchers = new PathWatchers({
    shared: new SharedWatchers({ clock, random: () => 0, watchFolder }),
    clock,
    batchMs: 10,
    everyMs: 100,
    pollMs: () => 1_000_000,
    onHint: (kind) => {
      hints.push(kind);
      onHint(kind);
    },
    onFault: (thrown, path) => faults.push([thrown, path]),
  });
  const paths = ["a", "b"].map((name) => join(folder, name));
  const change = (name: string): void => {
    for (const told of tell) told(name);
  };
  return { watchers, paths, clock, change, hints, faults, tell };
}

test("the pace is that of all paths together", async () => {
  const { watchers, paths, clock, change, hints } = setup();
  watchers.watch(paths);
  change("a");
  change("b");
  await clock.advance(10);
  expect(hints).toEqual(["event"]);
  for (let n = 0; n < 9; n++) {
    change(n % 2 === 0 ? "a" : "b");
    await clock.advance(10);
  }
  expect(hints).toEqual(["event"]);
  await clock.advance(10);
  expect(hints).toEqual(["event", "event"]);
  watchers.stop();
});

test("what a late hint throws goes to the fault's place, and the next hint is told", async () => {
  const fault = new Error("fell over");
  const { watchers, paths, clock, change, hints, faults } = setup(() => {
    throw fault;
  });
  watchers.watch(paths);
  await clock.advance(10);
  change("a");
  await clock.advance(100);
  expect({ hints, faults }).toEqual({
    hints: ["armed", "event"],
    faults: [
      [fault, undefined],
      [fault, undefined],
    ],
  });
  watchers.stop();
});

test("after the stop a hint that waited is not told, and nothing is left open", async () => {
  const { watchers, paths, clock, change, hints, tell } = setup();
  watchers.watch(paths);
  change("a");
  watchers.stop();
  expect({ waiting: clock.waiting, open: tell.length }).toEqual({ waiting: 0, open: 0 });
  await clock.advance(1000);
  expect(hints).toEqual([]);
});
