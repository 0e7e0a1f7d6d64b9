import { expect, test } from "bun:test";
import { type SessionEvent, type SessionState, type SessionStep, step } from "../../src/sessions/state.ts";

const now = Date.parse("2026-03-01T12:00:00.000Z");
const later = now + 60_000;

const idle: SessionState = { kind: "idle", since: 1 };
const waiting: SessionState = { kind: "waiting", for: "slot", until: null, since: 2 };
const busy: SessionState = { kind: "busy", message: "m1", since: 3 };
const restarting: SessionState = { kind: "restarting", reason: "model_changed", since: 4, idleSince: null };
const restartingIdle: SessionState = { ...restarting, idleSince: 1 };
const closed: SessionState = { kind: "closed" };

const claimed: SessionEvent = { type: "claimed", message: "m2" };
const waits: SessionEvent = { type: "waits", for: "rate_limited", until: later };
const waitsAgain: SessionEvent = { type: "waits", for: "slot", until: null };
const emptied: SessionEvent = { type: "emptied" };
const due: SessionEvent = { type: "due", reason: "provider_changed" };
const restarts: SessionEvent = { type: "restarts", reason: "requested" };
const replacedEmpty: SessionEvent = { type: "replaced", hasPending: false };
const replacedPending: SessionEvent = { type: "replaced", hasPending: true };
const closes: SessionEvent = { type: "closed" };

const isBusyNow: SessionStep = { state: { kind: "busy", message: "m2", since: now }, effects: [] };
const waitsNow: SessionStep = {
  state: { kind: "waiting", for: "rate_limited", until: later, since: now },
  effects: [
    {
      kind: "tell",
      event: {
        type: "session.waiting",
        data: { session: "s", for: "rate_limited", until: "2026-03-01T12:01:00.000Z" },
      },
    },
  ],
};
const waitsForSlot: SessionStep = {
  state: { kind: "waiting", for: "slot", until: null, since: now },
  effects: [
    {
      kind: "tell",
      event: { type: "session.waiting", data: { session: "s", for: "slot", until: null } },
    },
  ],
};
const idleTold: SessionStep["effects"] = [
  {
    kind: "tell",
    event: { type: "session.idle", data: { session: "s", since: "2026-03-01T12:00:00.000Z" } },
  },
];
const isIdleNow: SessionStep = { state: { kind: "idle", since: now }, effects: idleTold };
const isClosedNow: SessionStep = { state: { kind: "closed" }, effects: [] };
const deferred: SessionStep["effects"] = [
  {
    kind: "tell",
    event: {
      type: "session.restart_deferred",
      data: { session: "s", reason: "provider_changed", blockedBy: "turn" },
    },
  },
];
const replaces: SessionStep["effects"] = [{ kind: "replace" }];

function restartsNow(reason: "provider_changed" | "requested", idleSince: number | null): SessionState {
  return { kind: "restarting", reason, since: now, idleSince };
}

function unchanged(state: SessionState): SessionStep {
  return { state, effects: [] };
}

const rows: [state: SessionState, event: SessionEvent, then: SessionStep, name: string][] = [
  [idle, claimed, isBusyNow, "an idle session that claims a message is busy"],
  [idle, waits, waitsNow, "an idle session that is not let through waits, and says until when"],
  [idle, emptied, unchanged(idle), "an idle session stays idle since it was"],
  [
    idle,
    due,
    { state: restartsNow("provider_changed", 1), effects: replaces },
    "an idle session restarts at once",
  ],
  [
    idle,
    restarts,
    unchanged(restartsNow("requested", 1)),
    "an idle session that begins to restart remembers since when it was idle",
  ],
  [idle, replacedEmpty, unchanged(idle), "an idle session that does not restart has nothing to replace"],
  [idle, closes, isClosedNow, "an idle session closes"],

  [waiting, claimed, isBusyNow, "a waiting session that claims a message is busy"],
  [waiting, waits, waitsNow, "a waiting session may come to wait for something else"],
  [waiting, waitsAgain, unchanged(waiting), "a waiting session says once what it waits for"],
  [waiting, emptied, isIdleNow, "a waiting session whose message was cancelled is idle"],
  [
    waiting,
    due,
    { state: restartsNow("provider_changed", null), effects: replaces },
    "a waiting session restarts at once",
  ],
  [
    waiting,
    restarts,
    unchanged(restartsNow("requested", null)),
    "a waiting session that begins to restart was not idle",
  ],
  [
    waiting,
    replacedPending,
    unchanged(waiting),
    "a waiting session that does not restart has nothing to replace",
  ],
  [waiting, closes, isClosedNow, "a waiting session closes"],

  [busy, claimed, isBusyNow, "a busy session goes on to its next message"],
  [busy, waits, waitsNow, "a busy session whose message is put back waits"],
  [busy, waitsAgain, waitsForSlot, "a busy session that comes to the gate may have to wait for a slot"],
  [busy, emptied, isIdleNow, "a busy session with nothing left is idle"],
  [busy, due, { state: busy, effects: deferred }, "a busy session defers a restart, and says what blocks it"],
  [
    busy,
    restarts,
    unchanged(restartsNow("requested", null)),
    "a busy session restarts at its boundary, which it looks for itself",
  ],
  [busy, replacedEmpty, unchanged(busy), "a busy session that does not restart has nothing to replace"],
  [busy, closes, isClosedNow, "a busy session closes; its turn may still end"],

  [restarting, claimed, isBusyNow, "a claim that was under way takes its turn before the restart"],
  [restarting, waits, unchanged(restarting), "a generator that ends is not listened to about its waits"],
  [restarting, emptied, unchanged(restarting), "a generator that ends is not listened to about its inbox"],
  [restarting, due, unchanged(restarting), "a restart under way takes what is newest: it needs no other"],
  [restarting, restarts, unchanged(restarting), "a restart begins once"],
  [
    restarting,
    replacedEmpty,
    isIdleNow,
    "a session that was at work and has nothing left is idle after its restart",
  ],
  [
    restarting,
    replacedPending,
    unchanged({ kind: "idle", since: now }),
    "a session with something pending goes on after its restart without saying it were idle",
  ],
  [
    restartingIdle,
    replacedEmpty,
    unchanged({ kind: "idle", since: 1 }),
    "a restart is no activity: an idle session is idle since as long as before",
  ],
  [
    restartingIdle,
    replacedPending,
    unchanged({ kind: "idle", since: 1 }),
    "a message that came during the restart of an idle session is for its loop to find",
  ],
  [restarting, closes, isClosedNow, "a restarting session closes"],

  [closed, claimed, unchanged(closed), "a closed session hears no claim"],
  [closed, waits, unchanged(closed), "a closed session hears no wait"],
  [closed, emptied, unchanged(closed), "a closed session does not become idle"],
  [closed, due, unchanged(closed), "a closed session does not restart"],
  [closed, restarts, unchanged(closed), "a closed session does not begin to restart"],
  [
    closed,
    replacedEmpty,
    unchanged(closed),
    "a closed session stays so whatever takes its generator's place",
  ],
  [closed, closes, unchanged(closed), "a session closes once"],
];

for (const [state, event, then, name] of rows)
  test(`${name} (${state.kind}, ${event.type})`, () => {
    expect(step("s", state, event, now)).toEqual(then);
  });

test("every pair of a state and an event has its row", () => {
  const kinds = new Set(rows.flatMap(([state, event]) => [`${state.kind} ${event.type}`]));
  expect(kinds.size).toBe(5 * 7);
});
