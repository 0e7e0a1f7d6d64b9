import { afterEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import type { EntryChanges } from "../../src/watch/entries.ts";
import { EntryWatcher } from "../../src/watch/entry-watcher.ts";
import { watchFolder } from "../../src/watch/folder-watch.ts";
import { SharedWatchers } from "../../src/watch/shared-watchers.ts";
import { eventually } from "../support/eventually.ts";
import { makeFolder } from "../support/workspace.ts";

const running = new Set<EntryWatcher>();
afterEach(() => {
  for (const watcher of running) watcher.stop();
  running.clear();
});

type Mode = "native" | "polling";

/** A watch on the folder `tree` and the file `alone` beside it; natively the poll is as good as off. */
function setup(mode: Mode, onChange: (changes: EntryChanges) => void = () => {}) {
  const root = makeFolder("entries");
  const at = (path: string): string => join(root, path);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
  };
  for (const path of ["tree/a", "tree/deep/er/b", "tree/deep/c", "tree/skipped/x", "alone", "target"])
    write(path, "1");
  utimesSync(at("tree/a"), 1, 1);
  symlinkSync(at("target"), at("tree/link"));
  const told = { added: new Set<string>(), changed: new Set<string>(), removed: new Set<string>() };
  const faults: unknown[] = [];
  const watcher = new EntryWatcher({
    paths: [at("tree"), at("alone")],
    isLeftOut: (name) => name === "skipped",
    shared: new SharedWatchers({
      clock: systemClock,
      random: () => 0,
      watchFolder: mode === "native" ? watchFolder : refuse,
    }),
    clock: systemClock,
    random: () => 0,
    pollMs: mode === "native" ? 1_000_000 : 20,
    batchMs: 5,
    everyMs: 20,
    onChange: (changes) => {
      for (const kind of ["added", "changed", "removed"] as const)
        for (const path of changes[kind]) told[kind].add(relative(root, path));
      onChange(changes);
    },
    onFault: (thrown) => faults.push(thrown),
  });
  running.add(watcher);
  watcher.start();
  return { at, write, watcher, told, faults };
}

function refuse(): never {
  throw new Error("no native watch is to be had");
}

interface Row {
  name: string;
  make: (place: { at: (path: string) => string; write: (path: string, text: string) => void }) => void;
  added?: string[];
  changed?: string[];
  removed?: string[];
}

const rows: Row[] = [
  { name: "a file written in place", make: ({ write }) => write("tree/a", "22"), changed: ["tree/a"] },
  {
    name: "a file far below",
    make: ({ write }) => write("tree/deep/er/b", "22"),
    changed: ["tree/deep/er/b"],
  },
  { name: "a new file", make: ({ write }) => write("tree/new", "1"), added: ["tree/new"] },
  {
    name: "a new file in new folders",
    make: ({ write }) => write("tree/x/y/new", "1"),
    added: ["tree/x", "tree/x/y", "tree/x/y/new"],
  },
  { name: "an empty folder", make: ({ at }) => mkdirSync(at("tree/x")), added: ["tree/x"] },
  { name: "a file that went", make: ({ at }) => rmSync(at("tree/a")), removed: ["tree/a"] },
  {
    name: "a file of the same size and time in the place of another",
    make: ({ at, write }) => {
      write("new", "2");
      utimesSync(at("new"), 1, 1);
      renameSync(at("new"), at("tree/a"));
    },
    changed: ["tree/a"],
  },
  {
    name: "a file that was renamed",
    make: ({ at }) => renameSync(at("tree/a"), at("tree/z")),
    added: ["tree/z"],
    removed: ["tree/a"],
  },
  {
    name: "a folder that was renamed",
    make: ({ at }) => renameSync(at("tree/deep"), at("tree/high")),
    added: ["tree/high", "tree/high/c", "tree/high/er", "tree/high/er/b"],
    removed: ["tree/deep", "tree/deep/c", "tree/deep/er", "tree/deep/er/b"],
  },
  {
    name: "the whole folder gone",
    make: ({ at }) => rmSync(at("tree"), { recursive: true }),
    removed: ["tree", "tree/a", "tree/deep", "tree/deep/c", "tree/deep/er", "tree/deep/er/b", "tree/link"],
  },
  { name: "what a symlink leads to", make: ({ write }) => write("target", "22"), changed: ["tree/link"] },
  { name: "a permission", make: ({ at }) => chmodSync(at("tree/a"), 0o700), changed: ["tree/a"] },
  {
    name: "a file beside the folder, and one that is left out",
    make: ({ write }) => {
      write("tree/skipped/x", "22");
      write("beside", "1");
      write("alone", "22");
    },
    changed: ["alone"],
  },
];

describe.each<Mode>(["native", "polling"])("%s", (mode) => {
  test.each(rows)("$name is told by name", async ({ make, added = [], changed = [], removed = [] }) => {
    const { told, watcher, ...place } = setup(mode);
    make(place);
    const names = () => ({
      added: [...told.added].toSorted(),
      changed: [...told.changed].toSorted(),
      removed: [...told.removed].toSorted(),
    });
    const expected = { added, changed, removed };
    await eventually(`${JSON.stringify(expected)} is told`, () => Bun.deepEquals(names(), expected));
    watcher.look();
    expect(names()).toEqual(expected);
  });

  test("what comes into a new folder later is told too", async () => {
    const { told, write, at } = setup(mode);
    mkdirSync(at("tree/x"));
    await eventually("the folder is told", () => told.added.has("tree/x"));
    for (const name of ["y", "z"]) {
      write(`tree/x/${name}`, "1");
      await eventually(`${name} in it`, () => told.added.has(`tree/x/${name}`));
    }
  });

  test("it goes on telling after the folder was taken away and made again", async () => {
    const { told, write, at } = setup(mode);
    for (const round of [1, 2]) {
      rmSync(at("tree"), { recursive: true });
      await eventually("it is gone", () => told.removed.delete("tree"));
      write(`tree/back${round}`, "1");
      await eventually("it is back", () => told.added.has(`tree/back${round}`));
      write(`tree/back${round}`, "22");
      await eventually("a change in it", () => told.changed.has(`tree/back${round}`));
    }
  });

  test("a callback that throws is told of the next change all the same", async () => {
    const fault = new Error("fell over");
    const { told, write, faults } = setup(mode, () => {
      throw fault;
    });
    write("tree/a", "22");
    await eventually("a change", () => told.changed.has("tree/a"));
    write("tree/deep/c", "22");
    await eventually("the next one", () => told.changed.has("tree/deep/c"));
    expect(faults.filter((thrown) => thrown === fault)).toHaveLength(2);
  });
});

test("what happened before the start or after the stop is told to nobody", async () => {
  const { told, write, watcher } = setup("native");
  watcher.stop();
  write("tree/a", "22");
  watcher.start();
  write("tree/deep/c", "22");
  await eventually("a change after the start", () => told.changed.has("tree/deep/c"));
  expect(told.changed).not.toContain("tree/a");
});
