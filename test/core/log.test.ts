import { afterAll, describe, expect, test } from "bun:test";
import { createLog, type Log, type LogLevel } from "../../src/core/log.ts";

function setup(
  format: "json" | "text",
  level: () => LogLevel = () => "debug",
): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const log = createLog({
    format,
    isColored: false,
    level,
    redact: (text) => text.replaceAll("s3cret", "••••"),
    write: (line) => void lines.push(line),
  });
  return { log, lines };
}

// The log is the process's: the last one made is silenced.
afterAll(() => void setup("text", () => "silent"));

describe("as JSON", () => {
  test("each entry is one line of JSON that says when, how grave, what and of whom", () => {
    const { log, lines } = setup("json");
    log.info("a turn\nended", { session: "a", attempts: 2, isLast: true, until: null });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toEndWith("}\n");
    expect(lines[0]?.trim()).not.toContain("\n");
    const entry: Record<string, unknown> = JSON.parse(lines[0] ?? "");
    expect(entry).toMatchObject({ level: "INFO", message: "a turn\nended" });
    expect(entry["properties"]).toEqual({ session: "a", attempts: 2, isLast: true, until: null });
    expect(JSON.stringify(entry)).toMatch(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
  });

  test("braces and percent signs are what they are", () => {
    const { log, lines } = setup("json");
    log.warn("{session} {{x}} %s {", { session: "a" });
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ message: "{session} {{x}} %s {" });
  });
});

describe("as text", () => {
  test("each entry is one line with its fields behind it", () => {
    const { log, lines } = setup("text");
    log.error("it {broke}", { session: "a", text: "{x}" });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/it \{broke\} session=a text=\{x\}\n$/);
    expect(lines[0]).toMatch(/ERR/);
  });
});

test("as text a field stays in its line and its place", () => {
  const { log, lines } = setup("text");
  log.info("it failed", {
    error: 'two\nlines, "quoted"',
    pair: "a=b",
    empty: "",
    escape: "\u001B[2J",
    plain: "m-1",
  });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toEndWith(
    String.raw` error="two\nlines, \"quoted\"" pair="a=b" empty="" escape="\u001b[2J" plain=m-1` + "\n",
  );
});

test("fields that are made are made only for a line that is written", () => {
  const { log, lines } = setup("json", () => "info");
  let count = 0;
  const make = () => ({ count: ++count });
  log.debug("not written", make);
  log.info("written", make);
  expect(count).toBe(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ message: "written", properties: { count: 1 } });
});

test("no line holds a secret, in its message or in its fields", () => {
  for (const format of ["json", "text"] as const) {
    const { log, lines } = setup(format);
    log.info("the key is s3cret", { endpoint: "https://s3cret@example.invalid" });
    expect(lines.join("")).not.toContain("s3cret");
    expect(lines.join("")).toContain("••••");
  }
});

test("what is below the level is not written; the level may change at any time", () => {
  let level: LogLevel = "warn";
  const { log, lines } = setup("text", () => level);
  const all = (): void => {
    log.debug("debug");
    log.info("info");
    log.warn("warn");
    log.error("error");
  };
  const written = (): number => lines.splice(0).length;
  all();
  expect(written()).toBe(2);
  level = "debug";
  all();
  expect(written()).toBe(4);
  level = "error";
  all();
  expect(written()).toBe(1);
  level = "silent";
  all();
  expect(written()).toBe(0);
});

test("a second log takes the place of the first", () => {
  const first = setup("text");
  const second = setup("json");
  second.log.info("hello");
  expect([first.lines.length, second.lines.length]).toEqual([0, 1]);
});
