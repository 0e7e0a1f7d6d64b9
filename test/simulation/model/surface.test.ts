import { judges } from "./judged.ts";
import { doneMessage, message, readings, session } from "./written-life.ts";

judges("events", "ids rise", (life, isBroken) => {
  life
    .tell("session.created", { session: "a" }, 1, 3)
    .tell("session.created", { session: "b" }, 1, isBroken ? 3 : 4);
});

judges("events", "none is left out", (life, isBroken) => {
  life.tell("session.created", { session: "a" }, 1, isBroken ? 4 : 3);
});

judges("events", "they are the same for everybody", (life, isBroken) => {
  life.see({ kind: "reader", reader: 2, phase: "opened", after: 1, query: "" });
  life.tell("daemon.started", { instanceId: isBroken ? "boot-2" : "boot-1", version: "0" }, 2, 2);
});

judges("events", "who asked for a session gets only that", (life, isBroken) => {
  life.see({ kind: "reader", reader: 2, phase: "opened", after: 0, query: "session=a" });
  life.tell("session.created", { session: isBroken ? "b" : "a" }, 2, 9);
});

judges("events", "what is there was told", (life, isBroken) => {
  if (!isBroken) life.tell("session.created", { session: "a" });
  life.rest({ sessions: [session("a")] });
});

judges("events", "what is told is what is read", (life, isBroken) => {
  life.whole("m1");
  const { stats } = readings(life.iso);
  life.accept("m2", 2, "a", "two");
  if (!isBroken) life.tell("message.cancelled", { session: "a", message: "m2", seq: 2 });
  const second = message("m2", { seq: 2, content: "two", status: "cancelled" });
  life.rest({
    sessions: [session("a")],
    messages: [doneMessage("m1"), second],
    stats: { ...stats, tokensToday: 15 },
  });
});

judges("events", "a rollout goes forward", (life, isBroken) => {
  life.tell("rollout.started", { revision: 1, total: 3 }).tell("rollout.progressed", { done: 2, total: 3 });
  life.tell("rollout.progressed", { done: isBroken ? 1 : 3, total: 3 });
});

judges("events", "a rollout goes on in a drain", (life, isBroken) => {
  life.tell("rollout.started", { revision: 1, total: 2 });
  life.tell("daemon.draining", { reason: "signal", graceMs: 20_000, inFlight: 2 });
  life.tell("rollout.progressed", { done: 1, total: isBroken ? 3 : 2 });
});

judges("events", "a rollout may begin before a restart is told", (life, isBroken) => {
  life.tell("daemon.draining", { reason: "request", graceMs: 20_000, inFlight: 0 });
  life.tell("rollout.started", { revision: 1, total: 2 });
  life.tell("daemon.restarted", { url: "", downtimeMs: 0, sessions: 0, requeued: 0 });
  life.tell("rollout.progressed", { done: 1, total: isBroken ? 3 : 2 });
});

judges("events", "where the store fails the beginning of a rollout may be lost", (life, isBroken) => {
  life.tell("rollout.started", { revision: 1, total: 3 }).tell("rollout.progressed", { done: 3, total: 3 });
  if (!isBroken) life.see({ kind: "fault", fault: "store busy", phase: "once", detail: "" });
  life.tell("rollout.progressed", { done: 1, total: 3 });
});

judges("events", "of a rollout whose beginning a failing store lost the rest is told", (life, isBroken) => {
  life.tell("rollout.started", { revision: 1, total: 3 }).tell("rollout.progressed", { done: 2, total: 3 });
  life.see({ kind: "fault", fault: "store unreadable", phase: "once", detail: "" });
  life.tell("rollout.progressed", { done: 1, total: 3 });
  life.tell("rollout.progressed", { done: isBroken ? 4 : 2, total: 3 });
});

judges("answers", "their status is one of those that the call has", (life, isBroken) => {
  const status = isBroken ? 500 : 404;
  life.ask("GET", "/api/sessions/nobody", { status, body: { status, code: "session_not_found" } });
});

judges("answers", "who is refused is told why", (life, isBroken) => {
  const body = isBroken ? {} : { status: 404, code: "session_not_found" };
  life.ask("GET", "/api/sessions/nobody", { status: 404, body });
});

judges("answers", "503 has a cause", (life, isBroken) => {
  if (!isBroken) life.see({ kind: "fault", fault: "store busy", phase: "begins", detail: "" });
  life.ask("POST", "/api/sessions", { status: 503, body: { status: 503, code: "storage" } });
});

judges("answers", "507 comes of a full disk", (life, isBroken) => {
  life.see({ kind: "fault", fault: isBroken ? "store busy" : "store full", phase: "begins", detail: "" });
  life.ask("POST", "/api/sessions", { status: 507, body: { status: 507, code: "storage_full" } });
});

judges("answers", "a repeat says that it is one", (life, isBroken) => {
  const once = { "Idempotency-Key": "once" };
  life.accept("m1", 1, "a", "hello", once);
  const headers: Record<string, string> = isBroken ? {} : { "Idempotency-Replayed": "true" };
  life.ask(
    "POST",
    "/api/sessions/a/messages",
    { status: 200, body: message("m1"), headers },
    { content: "hello" },
    once,
  );
});

judges("answers", "what is counted as pending is pending", (life, isBroken) => {
  life.accept("m1").read({
    sessions: [session("a", { state: "busy", pending: isBroken ? 0 : 1 })],
    messages: [message("m1")],
  });
});

judges("rest", "the file is good at rest and told to be so", (life, isBroken) => {
  const problems = isBroken ? [{ path: "provider", message: "is none" }] : [];
  life.rest({ status: { ...readings(life.iso).status, problems } });
});
