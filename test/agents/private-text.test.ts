import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { withoutPrivate } from "../../src/agents/private-text.ts";

describe("private text", () => {
  test.each([
    ["between tags it goes, tags and all", "a <private>x</private> b", "a  b"],
    ["over lines too", "a<private>x\ny</private>b", "ab"],
    ["several times", "a<private>x</private>b<private>y</private>c", "abc"],
    ["nested tags are closed from the outside", "a<private>x<private>y</private>z</private>b", "ab"],
    ["a tag that is never closed hides all that follows", "a<private>x", "a"],
    ["so does one of two that is not closed", "a<private>x<private>y</private>z", "a"],
    ["a closing tag alone hides all before it", "x</private>b", "b"],
    ["a closing tag alone hides what stood before an earlier pair", "x<private>y</private>z</private>b", "b"],
    ["in capitals, with attributes and spaces", 'a<PRIVATE why="z">x</ Private >b', "ab"],
    ["as JSON escapes it", String.raw`a\u003cprivate\u003ex\u003c/private\u003eb`, "ab"],
    ["as JSON inside JSON escapes it", String.raw`a\\u003cprivate\\u003ex<\/private>b`, "ab"],
    ["as HTML escapes it", "a&lt;private&gt;x&lt;/private&gt;b", "ab"],
    ["other tags are left alone", "<privateer>a</privateer> <b>c</b> private", undefined],
    ["a text without tags is left alone", "a < b > c", undefined],
  ])("%s", (_name, text, kept = text) => {
    expect(withoutPrivate([text])).toEqual([kept]);
  });

  test("what opens in one of several texts and closes in another hides what is between", () => {
    expect(withoutPrivate(["a<private>", "x", "</private>b", "c"])).toEqual(["a", "", "b", "c"]);
    expect(withoutPrivate(["x", "y</private>b", "c"])).toEqual(["", "b", "c"]);
    expect(withoutPrivate(["a", "b<private>", "x", ""])).toEqual(["a", "b", "", ""]);
    expect(withoutPrivate(["", "<private>x</private>", "", "b"])).toEqual(["", "", "", "b"]);
  });

  test("however tags are strewn, nothing inside any of them is kept, and nothing is made up", () => {
    const piece = fc.constantFrom("<private>", "</private>", "<PRIVATE >", "a", "b", " ");
    fc.assert(
      fc.property(fc.array(fc.array(piece, { maxLength: 6 }), { maxLength: 5 }), (texts) => {
        const { kept, marked } = expected(texts);
        expect(withoutPrivate(marked)).toEqual(kept);
      }),
      { numRuns: 300 },
    );
  });

  test("a long text of half tags takes no longer than it is long", () => {
    const text = "<private ".repeat(20_000) + "\\".repeat(200_000) + "< ".repeat(100_000);
    expect(withoutPrivate([text])).toEqual([text]);
  });
});

/** The rules once more, over pieces instead of characters. */
function expected(texts: readonly (readonly string[])[]): { kept: string[]; marked: string[] } {
  const kept = texts.map(() => "");
  let depth = 0;
  for (const [index, pieces] of texts.entries())
    for (const piece of pieces) {
      if (piece.startsWith("</")) {
        if (depth === 0) kept.fill("", 0, index + 1);
        depth = Math.max(0, depth - 1);
      } else if (piece.startsWith("<")) depth += 1;
      else if (depth === 0) kept[index] = (kept[index] ?? "") + piece;
    }
  return { kept, marked: texts.map((pieces) => pieces.join("")) };
}
