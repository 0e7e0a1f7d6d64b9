import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type ExchangeFiles, replaceFile } from "../../src/settings/replace-file.ts";
import { exchangeFiles } from "../../src/platform/exchange.ts";
import { hashOf } from "../../src/settings/source.ts";
import { makeFolder } from "../support/workspace.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const hash = (text: string): string => hashOf(bytes(text));

/** What a replacement is refused with. */
function refusal(replacement: Promise<boolean>): Promise<unknown> {
  return replacement.then(
    (isDone) => `not refused: ${isDone}`,
    (thrown: unknown) => thrown,
  );
}

test("a file is replaced as a whole, its mode kept, and nothing is left beside it", async () => {
  const folder = makeFolder();
  const path = join(folder, "settings.json");
  writeFileSync(path, "old");
  chmodSync(path, 0o640);
  const { ino } = statSync(path);
  expect(await replaceFile(path, { bytes: bytes("new"), expected: hash("old") })).toBe(true);
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(statSync(path).mode & 0o777).toBe(0o640);
  expect(statSync(path).ino).not.toBe(ino);
  expect(readdirSync(folder)).toEqual(["settings.json"]);
});

test("a file that is another one by now is left alone", async () => {
  const folder = makeFolder();
  const path = join(folder, "settings.json");
  writeFileSync(path, "theirs");
  expect(await replaceFile(path, { bytes: bytes("new"), expected: hash("old") })).toBe(false);
  expect(await replaceFile(path, { bytes: bytes("new"), expected: null })).toBe(false);
  expect(readFileSync(path, "utf8")).toBe("theirs");
  expect(await replaceFile(join(folder, "gone.json"), { bytes: bytes("new"), expected: hash("old") })).toBe(
    false,
  );
  expect(readdirSync(folder)).toEqual(["settings.json"]);
});

test("a new file is made with its folders, for its user alone, also where a symlink leads to", async () => {
  const folder = makeFolder();
  symlinkSync("deep/er/real.json", join(folder, "settings.json"));
  expect(await replaceFile(join(folder, "settings.json"), { bytes: bytes("{}"), expected: null })).toBe(true);
  expect(readFileSync(join(folder, "deep/er/real.json"), "utf8")).toBe("{}");
  expect(statSync(join(folder, "deep/er/real.json")).mode & 0o777).toBe(0o600);
});

test("what a killed process left beside the file is no obstacle", async () => {
  const folder = makeFolder();
  const path = join(folder, "settings.json");
  writeFileSync(path, "old");
  writeFileSync(join(folder, `.settings.json.${process.pid}.new`), "half");
  expect(await replaceFile(path, { bytes: bytes("new"), expected: hash("old") })).toBe(true);
  expect(readdirSync(folder)).toEqual(["settings.json"]);
});

test("a file that cannot be replaced is said to be so, with the way out", async () => {
  const folder = makeFolder();
  mkdirSync(join(folder, "in-the-way"));
  writeFileSync(join(folder, "file"), "");
  expect(
    await refusal(
      replaceFile(join(folder, "file", "settings.json"), { bytes: bytes("new"), expected: null }),
    ),
  ).toMatchObject({
    code: "settings_not_writable",
    hint: expect.stringContaining("edit it by hand"),
  });
  const circle = join(folder, "circle.json");
  symlinkSync("circle.json", circle);
  expect(await refusal(replaceFile(circle, { bytes: bytes("new"), expected: null }))).toMatchObject({
    code: "settings_not_writable",
  });
});

const isRoot = process.getuid?.() === 0;

test.if(isRoot)("the owner is kept", async () => {
  const path = join(makeFolder(), "settings.json");
  writeFileSync(path, "old");
  chownSync(path, 12_345, 23_456);
  expect(await replaceFile(path, { bytes: bytes("new"), expected: hash("old") })).toBe(true);
  expect(statSync(path)).toMatchObject({ uid: 12_345, gid: 23_456 });
});

test.if(!isRoot)("a read-only file, and one in a read-only folder, are left alone", async () => {
  const folder = makeFolder();
  const path = join(folder, "settings.json");
  writeFileSync(path, "old", { mode: 0o444 });
  expect(await refusal(replaceFile(path, { bytes: bytes("new"), expected: hash("old") }))).toMatchObject({
    code: "settings_not_writable",
  });
  chmodSync(path, 0o644);
  chmodSync(folder, 0o555);
  expect(await refusal(replaceFile(path, { bytes: bytes("new"), expected: hash("old") }))).toMatchObject({
    code: "settings_not_writable",
  });
  chmodSync(folder, 0o755);
});

describe("where files can be exchanged", () => {
  /** An exchange during which somebody else replaces the file, once for each of these texts. */
  function meanwhile(path: string, texts: readonly string[]): ExchangeFiles {
    const left = [...texts];
    return (one, other) => {
      const text = left.shift();
      if (text !== undefined) {
        writeFileSync(`${path}.theirs`, text);
        renameSync(`${path}.theirs`, path);
      }
      return exchangeFiles(one, other);
    };
  }

  test.each([[[]], [["theirs"]], [["theirs", "theirs again"]], [["a", "b", "c"]], [["theirs", "new"]]])(
    "what somebody else writes in the very moment of the rename stays: %j",
    async (texts) => {
      const folder = makeFolder();
      const path = join(folder, "settings.json");
      writeFileSync(path, "old");
      const exchange = meanwhile(path, texts);
      const isDone = await replaceFile(path, { bytes: bytes("new"), expected: hash("old"), exchange });
      expect(isDone).toBe(texts.length === 0);
      expect(readFileSync(path, "utf8")).toBe(texts.at(-1) ?? "new");
      expect(readdirSync(folder)).toEqual(["settings.json"]);
    },
  );

  test("where they cannot be, the file is replaced all the same", async () => {
    const path = join(makeFolder(), "settings.json");
    writeFileSync(path, "old");
    expect(
      await replaceFile(path, { bytes: bytes("new"), expected: hash("old"), exchange: () => false }),
    ).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(exchangeFiles(path, `${path}.gone`)).toBe(false);
  });
});
