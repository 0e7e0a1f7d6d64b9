import { expect, test } from "bun:test";
import { errorText, isErrorCode, SegueError } from "../../src/core/errors.ts";

/** The codes of contract section 5, by status. */
const codes: [number, string][] = [
  [400, "malformed"],
  [401, "unauthorized"],
  [403, "forbidden_host forbidden_origin token_required"],
  [404, "session_not_found message_not_found revision_not_found not_found"],
  [405, "method_not_allowed"],
  [409, "session_exists idempotency_conflict wrong_status legacy_settings edits_waiting nothing_waiting"],
  [409, "settings_file_invalid settings_not_writable"],
  [412, "revision_conflict"],
  [413, "too_large"],
  [415, "unsupported_media_type"],
  [422, "invalid settings_invalid provider_not_ready"],
  [429, "too_many_pending"],
  [503, "starting draining storage"],
  [507, "storage_full"],
];

test.each(codes)("HTTP %i is the answer to %s", (status, names) => {
  for (const code of names.split(" ")) {
    if (!isErrorCode(code)) throw new Error(`${code} is no code`);
    expect(new SegueError(code, "x").status).toBe(status);
    expect(new SegueError(code, "x").title).toMatch(/^[A-Z]/);
  }
});

test.each([
  [1, "storage"],
  [2, "usage"],
  [3, "already_running"],
  [4, "cannot_listen"],
  [5, "settings_invalid"],
  [6, "not_reachable"],
  [7, "timed_out"],
] as const)("exit code %i is the end of a command with %s", (exitCode, code) => {
  expect(new SegueError(code, "x").exitCode).toBe(exitCode);
});

test("only a code is one", () => {
  for (const text of ["", "Malformed", "constructor", "__proto__", "toString"])
    expect(isErrorCode(text)).toBe(false);
});

test("an error carries what is known of it", () => {
  const cause = new Error("why");
  const problems = [{ path: "a.b", message: "is wrong" }];
  const error = new SegueError("invalid", "what", {
    hint: "the way out",
    cause,
    problems,
    retryAfterSeconds: 5,
  });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: "SegueError", message: "what", hint: "the way out", cause, problems });
  expect(error.retryAfterSeconds).toBe(5);
  expect("cause" in new SegueError("invalid", "what")).toBe(false);
});

test("whatever was thrown has a text", () => {
  expect(errorText(new SegueError("invalid", "what"))).toBe("what");
  expect(["text", 7, null, undefined].map(errorText)).toEqual(["text", "7", "null", "undefined"]);
});
