import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { effectiveFingerprint } from "../../src/settings/fingerprint.ts";
import { planChange } from "../../src/settings/plan.ts";
import { changedSince, isOfRevision, revisionFingerprint } from "../../src/settings/revision-fingerprint.ts";
import { readSettings } from "../../src/settings/read.ts";
import { inputOf, problemsOf, read } from "./reading.ts";

const whole = `{
  // who answers
  "provider": "claude", "fallback": ["echo"],
  "providers": {
    "claude": { "apiKey": "sk-planted-0123456789", "baseUrl": "https://user:planted-password@gateway.example" },
    "mine": { "kind": "command", "model": "m", "argv": ["tool", "--x"] }
  },
  "turn": { "system": "Be \\u0022brief\\u0022.", "maxAttempts": 7, "mode": "batch" },
  "server": { "port": 0, "token": "planted-token-value" }
}`;

const around = { env: { X: "x" }, files: {} };

/** One change to a text: a piece is replaced by another. */
const mutation = fc.record({
  at: fc.nat(whole.length),
  length: fc.nat(12),
  piece: fc.oneof(
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "//",
      "/*",
      "*/",
      "\\",
      "\uFEFF",
      "-",
      "1e999",
      '"$X"',
      '"file:x"',
    ),
    fc.constantFrom("null", '"__proto__"', '"turn"', "{}", '"providers"', "\r", "\n", "\ud800", "\u0000"),
  ),
});

function mutate(text: string, changes: readonly { at: number; length: number; piece: string }[]): string {
  return changes.reduce(
    (now, { at, length, piece }) => now.slice(0, at) + piece + now.slice(at + length),
    text,
  );
}

/** Problems may be many, but each has a message, and its place is in the text. */
function expectJudged(text: string | Uint8Array): void {
  const result = readSettings(inputOf(text, around));
  if (result.kind === "ok") {
    expect(JSON.stringify([result.reading.shown, result.reading.maskedText])).not.toContain(
      "sk-planted-0123456789",
    );
    return;
  }
  const lines = (typeof text === "string" ? text : new TextDecoder().decode(text)).split(/\r\n?|\n/);
  expect(result.problems.length).toBeGreaterThan(0);
  let previous = { line: 1, column: 1 };
  for (const { message, line, column } of result.problems) {
    expect(message).not.toMatch(/sk-planted|planted-password|planted-token|\p{Cc}/u);
    const place = { line: line ?? 0, column: column ?? 0 };
    expect(place.line).toBeWithin(1, lines.length + 1);
    expect(place.column).toBeWithin(1, (lines[place.line - 1]?.length ?? 0) + 2);
    expect(place.line * 1e7 + place.column).toBeGreaterThanOrEqual(previous.line * 1e7 + previous.column);
    previous = place;
  }
}

describe("whatever stands in a settings file", () => {
  test("a changed file is judged, and every problem has its place in it", () => {
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (changes) =>
        expectJudged(mutate(whole, changes)),
      ),
      { numRuns: 600 },
    );
  });

  test("a file cut anywhere is refused where it ends or went wrong", () => {
    for (let length = 0; length < whole.length; length++) {
      expect(problemsOf(whole.slice(0, length))).not.toEqual([]);
      expectJudged(whole.slice(0, length));
    }
  });

  test("any bytes are judged", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expectJudged(bytes)),
      { numRuns: 200 },
    );
  });

  test("any JSON is judged", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => expectJudged(JSON.stringify(value))),
      { numRuns: 200 },
    );
  });

  test.each([
    ["brackets", "["],
    ["objects", '{"a":'],
    ["wrong brackets", "[},{],"],
    ["comments", "/*"],
    ["quotes", '"'],
    ["words", "x\n"],
    ["unknown keys", '"a":1,'],
    ["providers", '"p":{"kind":"echo"},'],
  ])("a mebibyte of %s is judged", (_what, piece) => {
    const room = 1024 * 1024 - 20;
    const repeated = piece.repeat(Math.floor(room / piece.length));
    expectJudged(repeated);
    expectJudged(`{"providers":{${repeated}`);
  });
});

/** White space and comments, of which JSON with comments allows any between two tokens. */
const trivia = fc.constantFrom("", " ", "\n", "\r\n", "\t", "/* c */", "// c\n", '/* "a": {} */', "\n\n  ");

interface Shuffled {
  key: string;
  value: unknown;
}

function render(value: unknown, next: () => string, order: (entries: Shuffled[]) => Shuffled[]): string {
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown) => next() + render(item, next, order) + next()).join(",")}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = order(Object.entries(value).map(([key, value]) => ({ key, value })));
  const shown = entries.map(
    ({ key, value }) =>
      `${next()}${JSON.stringify(key)}${next()}:${next()}${render(value, next, order)}${next()}`,
  );
  return `{${shown.join(",")}${shown.length > 0 && next() !== "" ? "," : ""}${next()}}`;
}

const someSettings = fc
  .record(
    {
      fallback: fc.array(fc.constantFrom("echo", "claude", "gemini"), { maxLength: 3 }),
      turn: fc.record(
        {
          system: fc.string(),
          maxAttempts: fc.integer({ min: 1, max: 99 }),
          mode: fc.constantFrom("single", "batch"),
        },
        { requiredKeys: [] },
      ),
      providers: fc.dictionary(
        fc
          .stringMatching(/^[a-z][a-z0-9.-]{0,8}$/)
          .filter((name) => !["claude", "gemini", "openai", "command", "echo"].includes(name)),
        fc.record({
          kind: fc.constant("openai"),
          model: fc.string({ minLength: 1 }).filter((text) => /\S/.test(text) && !/^[$]|^file:/.test(text)),
          apiKey: fc.constantFrom("", "k", "k-0123456789abc"),
        }),
        { maxKeys: 3 },
      ),
      server: fc.record({ port: fc.integer({ min: 0, max: 65_535 }) }),
    },
    { requiredKeys: [] },
  )
  .filter(({ turn }) => !/^[$]|^file:/.test(turn?.system ?? ""));

describe("settings that say the same", () => {
  test("are the same, whatever their formatting, comments and order, and a plan between them is empty", () => {
    fc.assert(
      fc.property(someSettings, fc.infiniteStream(trivia), fc.boolean(), (value, stream, isReversed) => {
        const next = (): string => stream.next().value ?? "";
        const order = (entries: Shuffled[]): Shuffled[] => (isReversed ? entries.toReversed() : entries);
        const plain = read(JSON.stringify(value));
        const other = read(next() + render(value, next, order) + next());
        expect(other.settings).toEqual(plain.settings);
        expect(planChange(plain.settings, other.settings, []).changedKeys).toEqual([]);
        expect(other.shown).toEqual(plain.shown);
      }),
      { numRuns: 150 },
    );
  });

  test("what is shown of them says the same", () => {
    fc.assert(
      fc.property(someSettings, (value) => {
        const reading = read(JSON.stringify(value));
        const withKeys = JSON.stringify(reading.shown).replaceAll('"••••"', '"k"');
        const changed = planChange(reading.settings, read(withKeys).settings, []).changedKeys;
        expect(changed.filter((name) => !name.endsWith(".apiKey"))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

test("what a revision keeps of settings tells every other apart, key by key, as a plan does", () => {
  fc.assert(
    fc.property(someSettings, someSettings, (one, other) => {
      const [before, after] = [read(JSON.stringify(one)).settings, read(JSON.stringify(other)).settings];
      const kept = revisionFingerprint(before, null);
      const { changedKeys } = planChange(before, after, []);
      expect(changedSince(kept, after)).toEqual(changedKeys);
      expect(isOfRevision(after, kept)).toBe(changedKeys.length === 0);
    }),
    { numRuns: 100 },
  );
});

test("of a revision that was kept without its keys it is only told whether settings are the same", () => {
  const settings = read("{}").settings;
  expect(changedSince(effectiveFingerprint(settings), settings)).toBeUndefined();
  expect(isOfRevision(settings, effectiveFingerprint(settings))).toBe(true);
  expect(isOfRevision(read('{"log":{"level":"warn"}}').settings, effectiveFingerprint(settings))).toBe(false);
});
