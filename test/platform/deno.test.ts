import { describe, expect, test } from "bun:test";
import * as fastCheck from "fast-check";
import { sha256 as bunSha256 } from "../../src/platform/bun-hash.ts";
import { sha256 as denoSha256 } from "../../src/platform/deno-hash.ts";
import { namedFault } from "../../src/platform/deno-faults.ts";
import { unescaped, withoutNul } from "../../src/platform/deno-text.ts";

test("the files of both runtimes offer the same", async () => {
  const offered = async (name: string): Promise<string[]> =>
    Object.keys(await import(`../../src/platform/${name}.ts`)).toSorted();
  expect(await offered("deno")).toEqual(await offered("bun"));
  expect(await offered("deno-libc")).toEqual(await offered("bun-libc"));
  expect(await offered("deno-hash")).toEqual(await offered("bun-hash"));
});

test("a digest is the same under both", () => {
  const content = fastCheck.oneof(
    fastCheck.string({ unit: "binary" }),
    fastCheck.uint8Array(),
    fastCheck.constantFrom("", "\ud800", "a\udc00b"),
  );
  fastCheck.assert(
    fastCheck.property(content, fastCheck.constantFrom("hex", "base64url"), (given, form) => {
      expect(bunSha256(given, form)).toBe(denoSha256(given, form));
    }),
  );
});

describe("a text that Deno's SQLite would cut", () => {
  test("is kept without NUL, and read as it was given", () => {
    const character = fastCheck.constantFrom("\0", "0", "\u{FFFFE}", "a", "\ud800");
    fastCheck.assert(
      fastCheck.property(fastCheck.string({ unit: character }), (text) => {
        const kept = withoutNul(text);
        expect(kept).not.toContain("\0");
        expect(unescaped(kept)).toBe(text);
      }),
    );
  });

  test("with neither NUL nor the mark it is kept as it is", () => {
    expect(withoutNul("a\n\u{1f600}\uffff")).toBe("a\n\u{1f600}\uffff");
    expect(unescaped("a \u{FFFFE} that nobody escaped")).toBe("a \u{FFFFE} that nobody escaped");
  });
});

describe("a fault of Deno's SQLite has SQLite's name as its code", () => {
  const fault = (message: string, more: object = {}): unknown =>
    namedFault(Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR" }, more));
  test.each([
    ["database is locked", {}, "SQLITE_BUSY"],
    ["constraint failed", { errcode: 5 | (2 << 8) }, "SQLITE_BUSY"],
    ["attempt to write a readonly database", {}, "SQLITE_READONLY"],
    ["database disk image is malformed", { errcode: 11 }, "SQLITE_CORRUPT"],
    ["database or disk is full", {}, "SQLITE_FULL"],
    ["file is not a database", {}, "SQLITE_NOTADB"],
    ["UNIQUE constraint failed: a.x", { errcode: 1555 }, "SQLITE_ERROR"],
  ])("%s", (message, more, code) => {
    expect(fault(message, more)).toMatchObject({ message, code });
  });

  test("what is none passes as it is", () => {
    const other = new Error("database is locked");
    expect(namedFault(other)).toBe(other);
    expect(other).not.toHaveProperty("code");
    expect(namedFault("odd")).toBe("odd");
  });
});
