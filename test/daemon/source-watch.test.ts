import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import { systemRandom } from "../../src/core/ids.ts";
import { SourceWatch } from "../../src/daemon/source-watch.ts";
import { SharedWatchers } from "../../src/watch/shared-watchers.ts";
import { makeFolder } from "../support/workspace.ts";

/** A watch on the folder `src` and on the file `program` beside it. */
function setup() {
  const folder = makeFolder("source");
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write("src/main.ts", "1");
  write("src/deep/er/part.ts", "1");
  write("elsewhere.ts", "1");
  write("program", "1");
  symlinkSync(join(folder, "elsewhere.ts"), join(folder, "src", "linked.ts"));
  const watch = new SourceWatch({
    paths: [join(folder, "src"), join(folder, "program")],
    except: [join(folder, "src", "data"), join(folder, "src", "settings.json")],
    shared: new SharedWatchers({ clock: systemClock, random: systemRandom }),
    clock: systemClock,
    random: systemRandom,
    onFault: (thrown) => {
      throw thrown;
    },
  });
  return { folder, write, watch };
}

type Change = (folder: string, write: (path: string, text: string) => void) => void;

/** Each with what is told of it. */
const changes: Record<string, [Change, string]> = {
  "a file written in place": [(_, write) => write("src/main.ts", "22"), "src/main.ts changed"],
  "a file replaced by a rename": [
    (folder, write) => {
      write("new", "2");
      renameSync(join(folder, "new"), join(folder, "src/main.ts"));
    },
    "src/main.ts changed",
  ],
  "a file far below": [(_, write) => write("src/deep/er/part.ts", "22"), "src/deep/er/part.ts changed"],
  "a new file": [(_, write) => write("src/other.ts", "1"), "src/other.ts is new"],
  "a new file in a new folder": [(_, write) => write("src/a/b/other.ts", "1"), "src/a/b/other.ts is new"],
  "a file that went": [(folder) => rmSync(join(folder, "src/main.ts")), "src/main.ts is gone"],
  "a folder that was renamed": [
    (folder) => renameSync(join(folder, "src/deep"), join(folder, "src/high")),
    "src/high/er/part.ts is new, src/deep/er/part.ts is gone",
  ],
  "the file that a symlink leads to": [(_, write) => write("elsewhere.ts", "22"), "src/linked.ts changed"],
  "a watched file replaced by a rename": [
    (folder, write) => {
      write("new", "1");
      utimesSync(join(folder, "new"), 1, 1);
      renameSync(join(folder, "new"), join(folder, "program"));
    },
    "program changed",
  ],
  "a watched file that went and came again": [
    (folder, write) => {
      rmSync(join(folder, "program"));
      write("program", "22");
    },
    "program changed",
  ],
  "a permission that was given": [(folder) => chmodSync(join(folder, "program"), 0o755), "program changed"],
  "many at once": [
    (_, write) => {
      for (const name of ["c.ts", "a.ts", "b.ts", "main.ts", "d.ts"]) write(`src/${name}`, "22");
    },
    "src/main.ts changed, src/a.ts is new, src/b.ts is new and 2 more",
  ],
};

test.each(Object.entries(changes))("%s: a change, told by name", async (_, [change, words]) => {
  const { folder, write, watch } = setup();
  const mark = watch.look();
  try {
    const changed = watch.changed(mark, new AbortController().signal);
    change(folder, write);
    expect(await changed).toBe(words);
    expect(watch.look()).not.toBe(mark);
  } finally {
    watch.stop();
  }
});

const noise: Record<string, Change> = {
  "a watched file that is gone, and so about to be replaced": (folder) => rmSync(join(folder, "program")),
  "a watched folder that is gone": (folder) => rmSync(join(folder, "src"), { recursive: true }),
  "what is not watched": (_, write) => write("other/main.ts", "1"),
  "installed packages": (_, write) => write("src/node_modules/a/index.js", "1"),
  "a repository's own folder": (_, write) => write("src/.git/index", "1"),
  "what a build makes": (_, write) => write("src/dist/segue", "1"),
  "what editors leave beside": (_, write) => {
    for (const name of ["main.ts~", ".main.ts.swp", "#main.ts#", "4913", "main.ts.tmp"])
      write(`src/${name}`, "1");
  },
  "the data folder": (_, write) => write("src/data/segue.db", "1"),
  "the settings": (_, write) => write("src/settings.json", "1"),
};

test.each(Object.entries(noise))("%s: no change", (_, change) => {
  const { folder, write, watch } = setup();
  const mark = watch.look();
  change(folder, write);
  expect(watch.look()).toBe(mark);
  watch.stop();
});

test("nobody waits any longer when the wait is given up", async () => {
  const { watch } = setup();
  const stopped = new AbortController();
  const changed = watch.changed(watch.look(), stopped.signal);
  stopped.abort();
  expect(await changed).toBeUndefined();
  watch.stop();
});

test("an empty folder that is new is no change, and what comes into it is", async () => {
  const { folder, write, watch } = setup();
  const before = watch.look();
  mkdirSync(join(folder, "src/empty"));
  expect(watch.look()).toBe(before);
  const changed = watch.changed(before, new AbortController().signal);
  write("src/empty/first.ts", "1");
  expect(await changed).toBe("src/empty/first.ts is new");
  watch.stop();
});
