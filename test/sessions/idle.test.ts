import { expect, test } from "bun:test";
import { dueToUnload } from "../../src/sessions/idle.ts";
import type { SessionState } from "../../src/sessions/state.ts";

function session(state: SessionState, isAtWork = false) {
  return { state, isAtWork };
}

test("who has been idle as long as that is unloaded, and the next one has a time", () => {
  const old = session({ kind: "idle", since: 0 });
  const exact = session({ kind: "idle", since: 500 });
  const young = session({ kind: "idle", since: 700 });
  const youngest = session({ kind: "idle", since: 900 });
  expect(dueToUnload([youngest, old, exact, young], 1500, 1000)).toEqual({
    unload: [old, exact],
    nextAt: 1700,
  });
});

test("nobody who works, waits or restarts is unloaded, however long", () => {
  const sessions = [
    session({ kind: "busy", message: "m", since: 0 }),
    session({ kind: "waiting", for: "auth", until: null, since: 0 }),
    session({ kind: "restarting", reason: "requested", since: 0, idleSince: 0 }),
    session({ kind: "idle", since: 0 }, true),
    session({ kind: "closed" }),
  ];
  expect(dueToUnload(sessions, 1e9, 1000)).toEqual({ unload: [], nextAt: undefined });
});
