import { expect, test } from "bun:test";
import { restartNote } from "../../src/daemon/restart.ts";

const recovered = "Your session state has been recovered from the last checkpoint.";

test.each([
  ["configuration", "[system] The daemon restarted due to a configuration change."],
  ["request", "[system] The daemon restarted on request."],
  ["upgrade", "[system] The daemon restarted for an upgrade."],
  ["crash", "[system] The daemon stopped unexpectedly."],
] as const)("the note after a restart of cause %s says so, word for word", (cause, said) => {
  expect(restartNote(cause)).toBe(`${said} ${recovered}`);
});
