import { afterEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { systemClock, type Clock } from "../../src/core/clock.ts";
import {
  watchFolder as watchNatively,
  type FolderListener,
  type WatchFolder,
} from "../../src/watch/folder-watch.ts";
import { PathWatcher, type HintKind } from "../../src/watch/path-watcher.ts";
import { eventually } from "../support/eventually.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { makeFolder } from "../support/workspace.ts";

const neverMs = 1_000_000_000;
const running = new Set<PathWatcher>();

afterEach(() => {
  for (const watcher of running) watcher.stop();
  running.clear();
});

interface Setup {
  path: string;
  clock?: Clock;
  pollMs?: () => number;
  watchFolder?: WatchFolder;
  onHint?: (kind: HintKind) => void;
}

/** A started watcher, and what a keeper of the file would do with its hints: read, and remember each new text. */
function setup({ path, clock = systemClock, pollMs = () => neverMs, watchFolder, onHint }: Setup) {
  const hints: HintKind[] = [];
  const texts: (string | null)[] = [];
  const faults: unknown[] = [];
  const watcher = new PathWatcher({
    path,
    clock,
    pollMs,
    random: () => 0,
    ...(watchFolder ? { watchFolder } : {}),
    onHint: (kind) => {
      hints.push(kind);
      const text = textOf(path);
      if (text !== texts.at(-1)) texts.push(text);
      onHint?.(kind);
    },
    onFault: (thrown) => faults.push(thrown),
  });
  running.add(watcher);
  watcher.start();
  return { watcher, hints, texts, faults, seen: (text: string | null) => sees(texts, text) };
}

async function sees(texts: readonly (string | null)[], text: string | null): Promise<void> {
  await eventually(`a hint upon which the file reads ${text}`, () => texts.at(-1) === text);
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

function makeFile(text = "one"): string {
  const path = join(makeFolder(), "settings", "settings.json");
  mkdirSync(dirname(path));
  writeFileSync(path, text);
  return path;
}

describe("with native events alone", () => {
  test("the start is a hint, and watching is native", () => {
    const { hints, watcher, faults } = setup({ path: makeFile() });
    expect(hints).toEqual(["armed"]);
    expect(watcher.mode).toBe("native");
    expect(faults).toEqual([]);
  });

  test("writes in place are noticed", async () => {
    const path = makeFile();
    const { seen } = setup({ path });
    writeFileSync(path, "two");
    await seen("two");
    appendFileSync(path, ", three");
    await seen("two, three");
  });

  test("one atomic rename after another is noticed", async () => {
    const path = makeFile();
    const { seen } = setup({ path });
    for (const text of ["two", "three", "four"]) {
      replace(path, text);
      await seen(text);
    }
    writeFileSync(path, "in place");
    await seen("in place");
  });

  test("a rename from another folder is noticed", async () => {
    const path = makeFile();
    const elsewhere = join(makeFolder(), "new.json");
    const { seen } = setup({ path });
    writeFileSync(elsewhere, "two");
    renameSync(elsewhere, path);
    await seen("two");
  });

  test("an editor that moves the old file aside and writes a new one is noticed, twice", async () => {
    const path = makeFile();
    const { seen } = setup({ path });
    for (const text of ["two", "three"]) {
      renameSync(path, `${path}~`);
      writeFileSync(path, text);
      unlinkSync(`${path}~`);
      await seen(text);
    }
  });

  test("deletion and re-creation are noticed", async () => {
    const path = makeFile();
    const { seen } = setup({ path });
    unlinkSync(path);
    await seen(null);
    writeFileSync(path, "two");
    await seen("two");
  });

  test("what happens to other files of the folder is no hint", async () => {
    const path = makeFile();
    const { hints, seen } = setup({ path });
    for (let n = 0; n < 50; n++) writeFileSync(join(dirname(path), "segue.db"), `${n}`);
    writeFileSync(join(dirname(path), "settings.json.swp"), "");
    writeFileSync(path, "two");
    await seen("two");
    expect(hints.length).toBeLessThan(20);
  });

  test("a symlinked file: its target edited, replaced, and the link pointed elsewhere", async () => {
    const target = makeFile();
    const other = makeFile("other");
    const path = join(makeFolder(), "settings.json");
    symlinkSync(target, path);
    const { seen } = setup({ path });
    writeFileSync(target, "two");
    await seen("two");
    replace(target, "three");
    await seen("three");
    symlinkSync(other, `${path}.tmp`);
    renameSync(`${path}.tmp`, path);
    await seen("other");
    replace(other, "four");
    await seen("four");
    unlinkSync(path);
    await seen(null);
    writeFileSync(path, "a file of its own");
    await seen("a file of its own");
  });

  test("a chain of relative links through a linked folder is followed", async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, "real", "deep"), { recursive: true });
    writeFileSync(join(folder, "real", "deep", "a.json"), "one");
    symlinkSync("real", join(folder, "linked"));
    symlinkSync("deep/../deep/./a.json", join(folder, "real", "b.json"));
    const { seen } = setup({ path: join(folder, "linked", "b.json") });
    replace(join(folder, "real", "deep", "a.json"), "two");
    await seen("two");
    mkdirSync(join(folder, "next"));
    writeFileSync(join(folder, "next", "b.json"), "three");
    symlinkSync("next", join(folder, "swap"));
    renameSync(join(folder, "swap"), join(folder, "linked"));
    await seen("three");
    writeFileSync(join(folder, "next", "b.json"), "four");
    await seen("four");
  });

  test("the way Kubernetes swaps a mounted folder is noticed, again and again", async () => {
    const folder = makeFolder();
    const publish = (version: string): void => {
      mkdirSync(join(folder, `..${version}`));
      writeFileSync(join(folder, `..${version}`, "settings.json"), version);
      symlinkSync(`..${version}`, join(folder, "..data_tmp"));
      renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    };
    publish("v0");
    symlinkSync("..data/settings.json", join(folder, "settings.json"));
    const { seen } = setup({ path: join(folder, "settings.json") });
    for (let version = 1; version <= 3; version++) {
      publish(`v${version}`);
      rmSync(join(folder, `..v${version - 1}`), { recursive: true });
      await seen(`v${version}`);
    }
    writeFileSync(join(folder, "..v3", "settings.json"), "written through the link");
    await seen("written through the link");
  });

  test("a folder removed and made again is watched again", async () => {
    const path = makeFile();
    const { seen, watcher } = setup({ path });
    for (const text of ["two", "three"]) {
      rmSync(dirname(path), { recursive: true });
      await seen(null);
      mkdirSync(dirname(path));
      writeFileSync(path, text);
      await seen(text);
      replace(path, `${text}, edited`);
      await seen(`${text}, edited`);
    }
    expect(watcher.mode).toBe("native");
  });

  test("a folder renamed away and a new one in its place is watched, the old one no more", async () => {
    const path = makeFile();
    const { seen, hints } = setup({ path });
    renameSync(dirname(path), `${dirname(path)}.old`);
    mkdirSync(dirname(path));
    writeFileSync(path, "two");
    await seen("two");
    writeFileSync(path, "three");
    await seen("three");
    const before = hints.length;
    writeFileSync(join(`${dirname(path)}.old`, "settings.json"), "nobody looks here");
    writeFileSync(path, "four");
    await seen("four");
    expect(hints.length - before).toBeLessThan(10);
  });

  test("a file whose folders do not exist yet is noticed when they appear", async () => {
    const folder = makeFolder();
    const path = join(folder, "a", "b", "settings.json");
    const { seen, watcher } = setup({ path });
    expect(watcher.mode).toBe("native");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "one");
    await seen("one");
    replace(path, "two");
    await seen("two");
  });

  test("a watched folder hints at every name in it", async () => {
    const path = makeFolder();
    const { hints, seen } = setup({ path });
    writeFileSync(join(path, "any"), "");
    await eventually("a hint", () => hints.includes("event"));
    rmSync(path, { recursive: true });
    writeFileSync(path, "a file now");
    await seen("a file now");
    unlinkSync(path);
  });

  test("two watchers of one folder do not disturb each other", async () => {
    const path = makeFile();
    const other = join(dirname(path), "key");
    const first = setup({ path });
    const second = setup({ path: other });
    first.watcher.stop();
    const before = first.hints.length;
    writeFileSync(path, "unheard");
    writeFileSync(other, "heard");
    await second.seen("heard");
    expect(first.hints.length).toBe(before);
  });
});

describe("with the safety poll", () => {
  const pollMs = () => 2000;

  test("each poll is a hint, at most pollMs apart, and the interval may change meanwhile", async () => {
    const clock = new ManualClock();
    let intervalMs = 2000;
    const { hints, watcher } = setup({ path: makeFile(), clock, pollMs: () => intervalMs });
    await clock.advance(4000);
    expect(hints).toEqual(["armed", "poll", "poll"]);
    intervalMs = 500;
    watcher.poll();
    await clock.advance(1000);
    expect(hints).toEqual(["armed", "poll", "poll", "poll", "poll", "poll"]);
  });

  test("a folder exchanged without any event is armed anew at the next poll", async () => {
    const folder = makeFolder();
    const path = join(folder, "outer", "inner", "settings.json");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "one");
    const clock = new ManualClock();
    const { hints, seen, texts } = setup({ path, clock, pollMs });
    // The folder above is renamed: the watched one itself sees nothing of it.
    renameSync(join(folder, "outer"), join(folder, "outer.old"));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "two");
    await clock.advance(2000);
    expect(hints.slice(-2)).toEqual(["poll", "armed"]);
    expect(texts.at(-1)).toBe("two");
    replace(path, "three");
    await seen("three");
  });

  test("no watch to be had means polling, and native again once there is one", async () => {
    const path = makeFile();
    const clock = new ManualClock();
    let isExhausted = true;
    const { watcher, texts, faults, hints, seen } = setup({
      path,
      clock,
      pollMs,
      watchFolder: (folder, listener) => {
        if (!isExhausted) return watchNatively(folder, listener);
        throw Object.assign(new Error(`ENOSPC: no space left on device, watch '${folder}'`), {
          code: "ENOSPC",
        });
      },
    });
    expect(watcher.mode).toBe("polling");
    replace(path, "two");
    await clock.advance(2000);
    expect(texts).toEqual(["one", "two"]);
    expect(faults).toHaveLength(1);
    isExhausted = false;
    await clock.advance(2000);
    expect(watcher.mode).toBe("native");
    expect(hints).toEqual(["armed", "poll", "poll", "armed"]);
    replace(path, "three");
    await seen("three");
    expect(faults).toHaveLength(1);
  });

  test("a watch that breaks means polling until the next poll arms it again", async () => {
    const clock = new ManualClock();
    const broken: ((error: Error) => void)[] = [];
    const { watcher, faults } = setup({
      path: makeFile(),
      clock,
      pollMs,
      watchFolder: (_folder, listener) => {
        broken.push((error) => listener.onError(error));
        return { close: () => {} };
      },
    });
    expect(watcher.mode).toBe("native");
    broken[0]?.(new Error("EIO"));
    expect(watcher.mode).toBe("polling");
    expect(faults).toHaveLength(1);
    await clock.advance(2000);
    expect(watcher.mode).toBe("native");
    broken[0]?.(new Error("a late word of the old watch"));
    expect(watcher.mode).toBe("native");
  });

  test("a listener that throws hears the next hint all the same", async () => {
    const clock = new ManualClock();
    const { hints, faults } = setup({
      path: makeFile(),
      clock,
      pollMs,
      onHint: () => {
        throw new Error("the keeper fell over");
      },
    });
    await clock.advance(4000);
    expect(hints).toEqual(["armed", "poll", "poll"]);
    expect(faults).toHaveLength(3);
  });

  test("after stop there is no hint, no timer and no open watch; it may start again", async () => {
    const clock = new ManualClock();
    let open = 0;
    const { watcher, hints } = setup({
      path: makeFile(),
      clock,
      pollMs,
      watchFolder: () => {
        open += 1;
        return { close: () => void (open -= 1) };
      },
    });
    watcher.start();
    expect(open).toBe(1);
    watcher.stop();
    watcher.stop();
    watcher.poll();
    await clock.advance(10_000);
    expect({ hints, open, waiting: clock.waiting }).toEqual({ hints: ["armed"], open: 0, waiting: 0 });
    watcher.start();
    expect({ hints, open, waiting: clock.waiting }).toEqual({
      hints: ["armed", "armed"],
      open: 1,
      waiting: 1,
    });
  });

  test("stopping from within a hint stops at once", async () => {
    const clock = new ManualClock();
    const stopped: { watcher?: PathWatcher } = {};
    const { watcher, hints } = setup({
      path: makeFile(),
      clock,
      pollMs,
      onHint: (kind) => {
        if (kind === "poll") stopped.watcher?.stop();
      },
    });
    stopped.watcher = watcher;
    await clock.advance(20_000);
    expect(hints).toEqual(["armed", "poll"]);
    expect(clock.waiting).toBe(0);
  });
});

/** Folder watches that tell only what the test says; `open` are the folders watched at present. */
function scriptedWatches(onOpen: (folder: string) => void = () => {}) {
  const open = new Map<string, FolderListener>();
  let opened = 0;
  const watchFolder: WatchFolder = (folder, listener) => {
    opened += 1;
    open.set(folder, listener);
    onOpen(folder);
    return { close: () => void (open.get(folder) === listener && open.delete(folder)) };
  };
  return { watchFolder, open, opened: () => opened };
}

test("an event about the folder itself arms it anew even if it looks the same: inode numbers come back", () => {
  const path = makeFile();
  const { watchFolder, open, opened } = scriptedWatches();
  const { hints } = setup({ path, watchFolder });
  for (const name of [basename(dirname(path)), "", null]) open.get(dirname(path))?.onEvent(name);
  expect({ opened: opened(), open: open.size }).toEqual({ opened: 4, open: 1 });
  expect(hints).toEqual(["armed", "event", "armed", "event", "armed", "event", "armed"]);
});

test("a link that is pointed elsewhere while its watch opens is followed to where it leads now", () => {
  const [old, now] = [makeFile("old"), makeFile("now")];
  const path = join(makeFolder(), "settings.json");
  symlinkSync(old, path);
  const { watchFolder, open } = scriptedWatches((folder) => {
    if (folder !== dirname(path)) return;
    symlinkSync(now, `${path}.tmp`);
    renameSync(`${path}.tmp`, path);
  });
  setup({ path, watchFolder });
  expect([...open.keys()].toSorted()).toEqual([dirname(path), dirname(now)].toSorted());
});

test("links in a circle and names that are too long are no fault of the daemon", () => {
  const folder = makeFolder();
  symlinkSync("b", join(folder, "a"));
  symlinkSync("a", join(folder, "b"));
  expect(setup({ path: join(folder, "a") }).watcher.mode).toBe("native");
  const long = setup({ path: join(folder, "x".repeat(300)) });
  expect(long.watcher.mode).toBe("polling");
  expect(long.faults).toHaveLength(1);
});
