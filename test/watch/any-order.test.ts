import { expect, test } from "bun:test";
import { array, assert, asyncProperty, constantFrom } from "fast-check";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import { PathWatcher } from "../../src/watch/path-watcher.ts";
import { eventually } from "../support/eventually.ts";
import { makeFolder } from "../support/workspace.ts";

// Under one folder: `link` leads to `a` or `b`, in each a settings.json, which may itself lead to `c/real.json`.

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** What can happen to the tree; each answers without doing anything where it does not apply. */
const operations: Readonly<Record<string, (root: string, text: string) => void>> = {
  writeA: (root, text) => writeIn(root, "a/settings.json", text),
  writeB: (root, text) => writeIn(root, "b/settings.json", text),
  writeReal: (root, text) => writeIn(root, "c/real.json", text),
  replaceA: (root, text) => replaceIn(root, "a/settings.json", text),
  replaceB: (root, text) => replaceIn(root, "b/settings.json", text),
  removeA: (root) => rmSync(join(root, "a/settings.json"), { force: true }),
  linkA: (root) => swapLink(join(root, "a/settings.json"), "../c/real.json"),
  pointToA: (root) => swapLink(join(root, "link"), "a"),
  pointToB: (root) => swapLink(join(root, "link"), "./b/../b"),
  removeLink: (root) => rmSync(join(root, "link"), { force: true }),
  removeFolderA: (root) => rmSync(join(root, "a"), { recursive: true, force: true }),
  removeFolderC: (root) => rmSync(join(root, "c"), { recursive: true, force: true }),
  moveFolderA: (root) => moveAway(root, "a"),
  moveFolderB: (root) => moveAway(root, "b"),
};

function writeIn(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  if (exists(join(root, path)) && !existsSync(join(root, path))) rmSync(join(root, path));
  writeFileSync(join(root, path), text);
}

function replaceIn(root: string, path: string, text: string): void {
  writeIn(root, `${path}.tmp`, text);
  renameSync(join(root, `${path}.tmp`), join(root, path));
}

function swapLink(path: string, target: string): void {
  if (!existsSync(dirname(path))) return;
  symlinkSync(target, `${path}.tmp`);
  renameSync(`${path}.tmp`, path);
}

function moveAway(root: string, name: string): void {
  const away = join(root, `${name}.away`);
  if (!existsSync(join(root, name))) return;
  rmSync(away, { recursive: true, force: true });
  renameSync(join(root, name), away);
}

const names = constantFrom(...Object.keys(operations));
const bursts = array(array(names, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 });

test("whatever happens in whatever order, native events alone lead to the last text", async () => {
  await assert(
    asyncProperty(bursts, async (plan) => {
      const root = makeFolder("watch");
      operations["writeA"]?.(root, "first");
      operations["pointToA"]?.(root, "");
      const path = join(root, "link", "settings.json");
      let seen: string | null = null;
      const faults: unknown[] = [];
      const watcher = new PathWatcher({
        path,
        clock: systemClock,
        pollMs: () => 1_000_000_000,
        random: () => 0,
        onHint: () => {
          seen = textOf(path);
        },
        onFault: (thrown) => faults.push(thrown),
      });
      watcher.start();
      try {
        for (const [burst, names] of plan.entries()) {
          for (const [n, name] of names.entries()) operations[name]?.(root, `text ${burst}.${n}`);
          await eventually(
            `a hint upon which the file reads ${textOf(path)}`,
            () => seen === textOf(path),
            5000,
          );
        }
      } finally {
        watcher.stop();
      }
      expect(faults).toEqual([]);
    }),
    { numRuns: 40 },
  );
});
