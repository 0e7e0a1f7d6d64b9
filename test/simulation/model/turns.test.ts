import { judges } from "./judged.ts";
import { message, session, settings } from "./written-life.ts";

const hello = [
  { role: "user" as const, content: "hello" },
  { role: "assistant" as const, content: "hi" },
];
const twoAttempts = { ...settings, turn: { maxAttempts: 2, retryMs: 1000 } };

judges("attempts", "each that counts is counted once", (life, isBroken) => {
  life.accept("m1").started("m1");
  life.ended(life.call(), { kind: "cut" });
  life.requeued("m1", "retry", "overloaded", { retryAt: new Date(life.now + 2000).toISOString() });
  life.wait(2000).started("m1", 1, { attempt: isBroken ? 1 : 2 });
});

judges("attempts", "a park counts none", (life, isBroken) => {
  life.whole("m0").accept("m1", 2).started("m1", 2);
  life.refused(life.call({ turns: hello }), "rate_limited", 100);
  life.requeued("m1", "retry", "rate_limited", { seq: 2 });
  life.wait(100).started("m1", 2, { attempt: isBroken ? 2 : 1 });
});

judges(
  "attempts",
  "a message fails at the last of them",
  (life, isBroken) => {
    life.accept("m1").started("m1");
    life.ended(life.call(), { kind: "cut" });
    if (isBroken) return life.failed("m1", "overloaded");
    life.requeued("m1", "retry", "overloaded", { retryAt: new Date(life.now + 1000).toISOString() });
    life.wait(1000).started("m1", 1, { attempt: 2 });
    life.ended(life.call(), { kind: "cut" });
    return life.failed("m1", "overloaded");
  },
  twoAttempts,
);

judges(
  "attempts",
  "after the last of them it does not go on",
  (life, isBroken) => {
    const retryAt = (ms: number): string => new Date(life.now + ms).toISOString();
    life.accept("m1").started("m1");
    life
      .ended(life.call(), { kind: "cut" })
      .requeued("m1", "retry", "overloaded", { retryAt: retryAt(1000) });
    life.wait(1000).started("m1", 1, { attempt: 2 });
    life.ended(life.call(), { kind: "cut" });
    if (isBroken) life.requeued("m1", "retry", "overloaded", { retryAt: retryAt(4000) });
    else life.failed("m1", "overloaded");
  },
  twoAttempts,
);

judges("attempts", "no message fails for a wrong key", (life, isBroken) => {
  life.accept("m1").started("m1");
  life.refused(life.call(), isBroken ? "auth" : "invalid_request");
  life.failed("m1", isBroken ? "auth" : "invalid_request");
});

judges("attempts", "it is told how it ended", (life, isBroken) => {
  life.accept("m1").started("m1");
  life.ended(life.call(), isBroken ? { kind: "cut" } : { kind: "empty" });
  life.requeued("m1", "retry", "empty_reply", { retryAt: new Date(life.now + 2000).toISOString() });
});

judges("attempts", "a retry waits, four times as long each time", (life, isBroken) => {
  life.accept("m1").started("m1");
  life.ended(life.call(), { kind: "cut" });
  life.requeued("m1", "retry", "overloaded", {
    retryAt: new Date(life.now + (isBroken ? 500 : 2200)).toISOString(),
  });
});

judges("attempts", "a retry is not taken before its time", (life, isBroken) => {
  life.accept("m1").started("m1");
  life.ended(life.call(), { kind: "cut" });
  life.requeued("m1", "retry", "overloaded", { retryAt: new Date(life.now + 2000).toISOString() });
  life
    .wait(isBroken ? 1000 : 2000)
    .started("m1", 1, { attempt: 2 })
    .tell("session.busy", { session: "a", inFlight: 1 });
});

judges("attempts", "with the attempts their wait is forgiven, told or not", (life, isBroken) => {
  life.see({ kind: "fault", fault: "store unreadable", phase: "once", detail: "" });
  life.accept("m1").started("m1");
  life.ended(life.call(), { kind: "cut" });
  life.requeued("m1", "retry", "overloaded", { retryAt: new Date(life.now + 2000).toISOString() });
  life
    .wait(1000)
    .started("m1", 1, { attempt: isBroken ? 2 : 1 })
    .tell("session.busy", { session: "a", inFlight: 1 });
});

judges("attempts", "of a crash only the second counts that finds the same message", (life, isBroken) => {
  life.accept("m1");
  for (const attempt of [1, 1, 2]) {
    life.started("m1", 1, { attempt: isBroken && attempt === 2 ? 1 : attempt });
    life.requeued("m1", "crash", "interrupted").wait(1);
  }
});

judges("never mid-turn", "nothing but what was asked for ends a call", (life, isBroken) => {
  life.accept("m1").started("m1");
  const call = life.call();
  life.wait(10);
  if (!isBroken) life.ask("POST", "/api/sessions/a/restart", { status: 200 }, { when: "now" });
  life.see({ kind: "callAborted", call, ignoring: false }).requeued("m1", "restart");
});

judges("never mid-turn", "a cancel ends the call of its own message", (life, isBroken) => {
  life.accept("m1").started("m1");
  const call = life.call();
  const cancelled = isBroken ? "m9" : "m1";
  life.wait(10).ask("POST", `/api/messages/${cancelled}/cancel`, {
    status: isBroken ? 404 : 200,
    body: { status: 404, code: "x" },
  });
  life
    .see({ kind: "callAborted", call, ignoring: false })
    .tell("message.cancelled", { session: "a", message: "m1", seq: 1 });
});

judges("never mid-turn", "who restarts may be followed by who cancels", (life, isBroken) => {
  life.accept("m1").started("m1");
  const call = life.call();
  if (!isBroken) life.wait(1).ask("POST", "/api/sessions/a/restart", { status: 200 }, { when: "now" });
  life.see({ kind: "callAborted", call, ignoring: true });
  const body = message("m1", { status: "cancelled" });
  life.wait(1).ask("POST", "/api/messages/m1/cancel", { status: 200, body });
  life.tell("message.cancelled", { session: "a", message: "m1", seq: 1 });
});

judges("never mid-turn", "who restarts may be followed by who deletes", (life, isBroken) => {
  life.accept("m1").started("m1");
  const call = life.call();
  if (!isBroken) life.wait(1).ask("POST", "/api/sessions/a/restart", { status: 200 }, { when: "now" });
  life.see({ kind: "callAborted", call, ignoring: true });
  life.wait(1).ask("DELETE", "/api/sessions/a", { status: 204 });
  life.tell("message.cancelled", { session: "a", message: "m1", seq: 1 });
});

judges(
  "never mid-turn",
  "a batch of which one is cancelled may be told to restart before it has let go",
  (life, isBroken) => {
    life.accept("m1").accept("m2", 2).started("m1").started("m2", 2);
    const call = life.call({ content: "hello\n\nhello" });
    const body = message("m2", { seq: 2, status: "cancelled" });
    if (!isBroken) life.wait(1).ask("POST", "/api/messages/m2/cancel", { status: 200, body });
    life.see({ kind: "callAborted", call, ignoring: true });
    if (isBroken) life.wait(1).ask("POST", "/api/messages/m2/cancel", { status: 200, body });
    life.tell("message.cancelled", { session: "a", message: "m2", seq: 2 });
    life.wait(1).ask("POST", "/api/sessions/a/restart", { status: 200 }, { when: "now" });
    life.wait(1).requeued("m1", "restart");
  },
  { ...settings, turn: { mode: "batch" } },
);

judges("never mid-turn", "whom a drain aborts may be cancelled after its grace", (life, isBroken) => {
  life.accept("m1").started("m1");
  const call = life.call();
  life.tell("daemon.draining", { reason: "signal", graceMs: 20_000, inFlight: 1 });
  life.wait(isBroken ? 19_999 : 20_000).see({ kind: "callAborted", call, ignoring: true });
  const body = message("m1", { status: "cancelled" });
  life.wait(1).ask("POST", "/api/messages/m1/cancel", { status: 200, body });
  life.tell("message.cancelled", { session: "a", message: "m1", seq: 1 });
});

judges("never mid-turn", "silence is waited for", (life, isBroken) => {
  life.accept("m1").started("m1");
  const call = life.call();
  life.wait(isBroken ? 60_000 : 120_000).see({ kind: "callAborted", call, ignoring: false });
  life.requeued("m1", "retry", "overloaded", { retryAt: new Date(life.now + 2000).toISOString() });
});

judges("rest", "and not longer than that", (life, isBroken) => {
  life.accept("m1").started("m1");
  life.call();
  const read = { sessions: [session("a")], messages: [message("m1", { status: "running" })] };
  life.wait(isBroken ? 130_000 : 110_000).read(read);
});

judges("rest", "a store that fails holds the end of a call up", (life, isBroken) => {
  life.accept("m1").started("m1");
  life.call();
  if (!isBroken) life.see({ kind: "fault", fault: "store slow", phase: "begins", detail: "" });
  life.wait(125_000).read({ sessions: [session("a")], messages: [message("m1", { status: "running" })] });
});

judges(
  "exactly one outcome",
  "who reads late finds the call of a turn that was begun twice",
  (life, isBroken) => {
    life.accept("m1");
    const begunAt = life.now;
    const call = isBroken ? undefined : life.call();
    life.wait(10);
    const endedAt = life.now;
    if (call !== undefined) life.ended(call);
    life.now = begunAt;
    life.started("m1").requeued("m1", "restart").started("m1");
    life.now = endedAt;
    life.done("m1");
  },
);
