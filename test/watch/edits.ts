import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** Where an edit is made. */
export interface EditedPlace {
  /** A folder of its own. */
  root: string;
  /** The settings file, in a folder below it. */
  path: string;
  /** Stops and starts the watch. */
  watch: (isOn: boolean) => void;
  /** Resolves when settings are about to be recorded, and holds that up until the answer is called. */
  holdNextApply: () => Promise<() => void>;
}

/** A way in which a settings file may change. */
export interface FileEdit {
  name: string;
  /** How the file is laid out before; by default one file. */
  arrange?: (place: EditedPlace) => void;
  /** The settings before; by default `textWith(1)`. */
  before?: string;
  /** Answers when the edit was made, where that is before the end. */
  make: (place: EditedPlace) => Promise<number | void> | void;
  /** How many revisions it makes: with 1 or more, `turn.maxAttempts` is then 2. */
  revisions: number;
}

/** Settings of which one value tells them apart. */
export function textWith(attempts: number): string {
  return `{ "turn": { "maxAttempts": ${attempts} } }\n`;
}

const pause = (ms: number): Promise<void> => Bun.sleep(ms);

/** Puts a text in the place of another in one step. */
export function replace(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

function linkToReal({ root, path }: EditedPlace): void {
  mkdirSync(join(root, "real"));
  renameSync(path, join(root, "real", "mine.json"));
  symlinkSync("../real/mine.json", path);
}

/** As Kubernetes mounts a ConfigMap: the file leads through `..data` to a folder that is exchanged as a whole. */
function mountAsKubernetes({ path }: EditedPlace): void {
  const folder = dirname(path);
  mkdirSync(join(folder, "..v1"));
  renameSync(path, join(folder, "..v1", "settings.json"));
  symlinkSync("..v1", join(folder, "..data"));
  symlinkSync("..data/settings.json", path);
}

function swapAsKubernetes({ path }: EditedPlace): void {
  const folder = dirname(path);
  mkdirSync(join(folder, "..v2"));
  writeFileSync(join(folder, "..v2", "settings.json"), textWith(2));
  symlinkSync("..v2", join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  rmSync(join(folder, "..v1"), { recursive: true });
}

const prompted = `{ "turn": { "maxAttempts": 2, "system": "file:prompt.txt" } }\n`;

function writePrompt({ path }: EditedPlace): void {
  writeFileSync(join(dirname(path), "prompt.txt"), "one");
}

/** Every way of the table, with what it has to lead to. */
export const fileEdits: readonly FileEdit[] = [
  { name: "in place", make: ({ path }) => writeFileSync(path, textWith(2)), revisions: 1 },
  {
    name: "truncated and written in two parts",
    make: async ({ path }) => {
      writeFileSync(path, textWith(2).slice(0, 12));
      await pause(150);
      appendFileSync(path, textWith(2).slice(12));
    },
    revisions: 1,
  },
  { name: "atomic rename", make: ({ path }) => replace(path, textWith(2)), revisions: 1 },
  {
    name: "moved aside as a backup, written anew, backup removed",
    make: ({ path }) => {
      renameSync(path, `${path}~`);
      writeFileSync(path, textWith(2));
      unlinkSync(`${path}~`);
    },
    revisions: 1,
  },
  {
    name: "deleted and created again",
    make: async ({ path }) => {
      unlinkSync(path);
      await pause(150);
      writeFileSync(path, textWith(2));
    },
    revisions: 1,
  },
  {
    name: "through a symlink, in place",
    arrange: linkToReal,
    make: ({ root }) => writeFileSync(join(root, "real", "mine.json"), textWith(2)),
    revisions: 1,
  },
  {
    name: "a symlink pointed elsewhere",
    arrange: linkToReal,
    make: ({ root, path }) => {
      writeFileSync(join(root, "real", "other.json"), textWith(2));
      symlinkSync("../real/other.json", `${path}.tmp`);
      renameSync(`${path}.tmp`, path);
    },
    revisions: 1,
  },
  {
    name: "..data swapped as by Kubernetes",
    arrange: mountAsKubernetes,
    make: swapAsKubernetes,
    revisions: 1,
  },
  {
    name: "the folder removed and made again",
    make: async ({ path }) => {
      rmSync(dirname(path), { recursive: true });
      await pause(150);
      mkdirSync(dirname(path));
      writeFileSync(path, textWith(2));
    },
    revisions: 1,
  },
  {
    name: "the folder renamed away and a new one made",
    make: ({ path }) => {
      renameSync(dirname(path), `${dirname(path)}.away`);
      mkdirSync(dirname(path));
      writeFileSync(path, textWith(2));
    },
    revisions: 1,
  },
  {
    name: "through another hard link",
    arrange: ({ root, path }) => linkSync(path, join(root, "other-name.json")),
    make: ({ root }) => writeFileSync(join(root, "other-name.json"), textWith(2)),
    revisions: 1,
  },
  { name: "mode only", make: ({ path }) => chmodSync(path, 0o640), revisions: 0 },
  { name: "touched only", make: ({ path }) => utimesSync(path, 1, 1), revisions: 0 },
  { name: "the same bytes", make: ({ path }) => replace(path, textWith(1)), revisions: 0 },
  {
    name: "the same values in another form",
    make: ({ path }) => writeFileSync(path, `// mine\n{\n\t"$schema": "x", "turn": {"maxAttempts": 1,},\n}`),
    revisions: 0,
  },
  {
    name: "other bytes of the same size and time",
    make: ({ path }) => {
      const { atime, mtime } = statSync(path);
      writeFileSync(path, textWith(2));
      utimesSync(path, atime, mtime);
    },
    revisions: 1,
  },
  {
    name: "200 edits in a second",
    make: async ({ path }) => {
      for (let n = 1; n <= 200; n++) {
        replace(path, textWith(n === 200 ? 2 : 100 + n));
        await pause(5);
      }
    },
    revisions: 1,
  },
  {
    name: "edited while it is touched every 90 ms",
    make: async ({ path }) => {
      let madeAt = 0;
      for (let n = 0; n < 66; n++) {
        if (n === 3) {
          writeFileSync(path, textWith(2));
          madeAt = performance.now();
        }
        utimesSync(path, n, n);
        await pause(90);
      }
      return madeAt;
    },
    revisions: 1,
  },
  {
    name: "edited while an edit is applied",
    make: async ({ path, holdNextApply }) => {
      const held = holdNextApply();
      writeFileSync(path, textWith(9));
      const goOn = await held;
      replace(path, textWith(2));
      goOn();
    },
    revisions: 2,
  },
  {
    name: "edited while watching was down",
    make: async ({ path, watch }) => {
      watch(false);
      writeFileSync(path, textWith(2));
      await pause(50);
      watch(true);
    },
    revisions: 1,
  },
  {
    name: "a file that is referred to, swapped",
    arrange: writePrompt,
    before: prompted,
    make: ({ path }) => replace(join(dirname(path), "prompt.txt"), "two"),
    revisions: 1,
  },
  {
    name: "a file that is referred to, in place, to the same text",
    arrange: writePrompt,
    before: prompted,
    make: ({ path }) =>
      writeFileSync(join(dirname(path), "prompt.txt"), readFileSync(join(dirname(path), "prompt.txt"))),
    revisions: 0,
  },
];
