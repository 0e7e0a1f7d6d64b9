import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import type { FolderListener, WatchFolder } from "../../src/watch/folder-watch.ts";
import type { HintKind } from "../../src/watch/path-watcher.ts";
import { type PathAsker, SharedWatchers } from "../../src/watch/shared-watchers.ts";
import { eventually } from "../support/eventually.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { makeFolder } from "../support/workspace.ts";

/** Keeps what is put off to the end of the turn until the test takes it. */
class HoldingClock extends ManualClock {
  readonly deferred: (() => void)[] = [];

  override defer(task: () => void): void {
    this.deferred.push(task);
  }
}

/** One file, and folder watches that tell only what the test says; `open` are those open at present. */
function setup(options: { isExhausted?: boolean } = {}) {
  const path = join(makeFolder("shared"), "file");
  writeFileSync(path, "1");
  const clock = new HoldingClock();
  const open: FolderListener[] = [];
  const watchFolder: WatchFolder = (_folder, listener) => {
    if (options.isExhausted) throw new Error("no watches left");
    open.push(listener);
    return { close: () => void open.splice(open.indexOf(listener), 1) };
  };
  const shared = new SharedWatchers({ clock, random: () => 0, watchFolder });
  const ask = (given: Partial<PathAsker> = {}, at = path) => {
    const hints: HintKind[] = [];
    const faults: unknown[] = [];
    const subscription = shared.subscribe(at, {
      pollMs: () => 2000,
      onFault: (thrown) => faults.push(thrown),
      ...given,
      onHint: (kind) => {
        hints.push(kind);
        given.onHint?.(kind);
      },
    });
    return { subscription, hints, faults };
  };
  const change = (): void => {
    for (const listener of open) listener.onEvent("file");
  };
  return { path, clock, open, ask, change, options };
}

test("two who ask for one path share one native watch and one poll, and both hear of it", async () => {
  const { path, clock, open, ask, change } = setup();
  const [first, second] = [ask(), ask({}, relative(process.cwd(), path))];
  first.subscription.start();
  second.subscription.start();
  expect({ open: open.length, waiting: clock.waiting }).toEqual({ open: 1, waiting: 1 });
  change();
  expect([first.hints.at(-1), second.hints.at(-1)]).toEqual(["event", "event"]);
  const before = [first.hints.length, second.hints.length];
  await clock.advance(2000);
  expect([first.hints, second.hints].map((hints, n) => hints.slice(before[n]))).toEqual([["poll"], ["poll"]]);
  expect([first.faults, second.faults]).toEqual([[], []]);
});

test("on the real file system both hear of a change", async () => {
  const { path } = setup();
  const shared = new SharedWatchers({ clock: systemClock, random: () => 0 });
  const hints: HintKind[][] = [[], []];
  const subscriptions = hints.map((heard) =>
    shared.subscribe(path, {
      pollMs: () => 1_000_000,
      onHint: (kind) => void heard.push(kind),
      onFault: (thrown) => {
        throw thrown;
      },
    }),
  );
  for (const subscription of subscriptions) subscription.start();
  writeFileSync(path, "2");
  await eventually("both hear of it", () => hints.every((heard) => heard.includes("event")));
  for (const subscription of subscriptions) subscription.stop();
});

test("nothing is watched before the first starts, nor after the last has stopped; and it can start again", async () => {
  const { clock, open, ask, change } = setup();
  const [first, second] = [ask(), ask()];
  const now = () => ({ open: open.length, waiting: clock.waiting });
  expect(now()).toEqual({ open: 0, waiting: 0 });
  first.subscription.start();
  first.subscription.start();
  second.subscription.start();
  first.subscription.stop();
  first.subscription.stop();
  expect(now()).toEqual({ open: 1, waiting: 1 });
  second.subscription.stop();
  expect(now()).toEqual({ open: 0, waiting: 0 });
  const heard = [first.hints.length, second.hints.length];
  second.subscription.poll();
  await clock.advance(10_000);
  expect([first.hints.length, second.hints.length]).toEqual(heard);
  first.subscription.start();
  change();
  expect(now()).toEqual({ open: 1, waiting: 1 });
  expect(first.hints.slice(heard[0])).toEqual(["armed", "event"]);
});

test("who stopped hears nothing of what the others go on hearing", () => {
  const { ask, change } = setup();
  const [first, second] = [ask(), ask()];
  first.subscription.start();
  second.subscription.start();
  first.subscription.stop();
  const heard = first.hints.length;
  change();
  expect([first.hints.length, second.hints.at(-1)]).toEqual([heard, "event"]);
});

test("what one asker throws is told to that asker alone, and the others are told all the same", async () => {
  const { clock, ask, change } = setup();
  const fault = new Error("fell over");
  const bad = ask({
    onHint: () => {
      throw fault;
    },
  });
  const good = ask();
  bad.subscription.start();
  good.subscription.start();
  change();
  await clock.advance(2000);
  expect(good.hints.slice(-2)).toEqual(["event", "poll"]);
  expect(bad.hints.slice(-2)).toEqual(["event", "poll"]);
  expect(bad.faults).toEqual(bad.hints.map(() => fault));
  expect(good.faults).toEqual([]);
});

test("an asker that cannot even be told of its fault disturbs nobody, and is not hidden", () => {
  const { clock, ask, change } = setup();
  const bug = new Error("the log fell over too");
  const fall = (): never => {
    throw bug;
  };
  const bad = ask({ onHint: fall, onFault: fall });
  const good = ask();
  bad.subscription.start();
  good.subscription.start();
  clock.deferred.length = 0;
  change();
  expect(good.hints.at(-1)).toBe("event");
  expect(clock.deferred).toHaveLength(1);
  expect(clock.deferred[0]).toThrow(bug);
});

test("who is stopped by another's callback is told nothing any more", () => {
  const { ask, change } = setup();
  const others: { stop(): void }[] = [];
  const first = ask({
    onHint: (kind) => {
      if (kind === "event") for (const other of others) other.stop();
    },
  });
  const second = ask();
  first.subscription.start();
  second.subscription.start();
  others.push(second.subscription, first.subscription);
  change();
  expect(first.hints.at(-1)).toBe("event");
  expect(second.hints).not.toContain("event");
});

test("the shortest poll of those who share a path is the poll of all, as long as it is asked for", async () => {
  const { clock, ask } = setup();
  const [slow, fast] = [ask({ pollMs: () => 2000 }), ask({ pollMs: () => 500 })];
  slow.subscription.start();
  fast.subscription.start();
  expect(fast.hints[0]).toBe("armed");
  slow.hints.length = 0;
  await clock.advance(1000);
  expect(slow.hints).toEqual(["poll", "poll"]);
  fast.subscription.stop();
  slow.subscription.poll();
  slow.hints.length = 0;
  await clock.advance(4000);
  expect(slow.hints).toEqual(["poll", "poll"]);
});

test("where no native watch is to be had each asker is told so, also one that comes later, and hears the polls", async () => {
  const { clock, ask, options } = setup({ isExhausted: true });
  const [first, second] = [ask(), ask()];
  first.subscription.start();
  second.subscription.start();
  expect([first.subscription.mode, second.subscription.mode]).toEqual(["polling", "polling"]);
  expect([first.faults, second.faults]).toEqual([
    [new Error("no watches left")],
    [new Error("no watches left")],
  ]);
  await clock.advance(2000);
  expect([first.hints.at(-1), second.hints.at(-1)]).toEqual(["poll", "poll"]);
  options.isExhausted = false;
  await clock.advance(2000);
  expect([first.subscription.mode, second.subscription.mode]).toEqual(["native", "native"]);
});

test("different paths have watchers of their own", () => {
  const { path, open, ask } = setup();
  ask().subscription.start();
  ask({}, join(dirname(path), "other")).subscription.start();
  expect(open).toHaveLength(2);
});
