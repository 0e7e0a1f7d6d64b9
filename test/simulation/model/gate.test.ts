import type { EventData } from "../../../src/core/events.ts";
import { judges } from "./judged.ts";
import { doneMessage, message, readings, session, settings } from "./written-life.ts";

const first = "http://first.test/v1";
const held = { provider: "first", endpoint: first, sessions: 1, runningUnder: null };
const hello = [
  { role: "user" as const, content: "hello" },
  { role: "assistant" as const, content: "hi" },
];
const newKey = {
  ...settings,
  providers: {
    ...(settings["providers"] as object),
    first: { kind: "openai", baseUrl: first, apiKey: "key-that-is-new", model: "one" },
  },
};

/** A park of the first provider until a time. */
function rateLimited(until: number): EventData["provider.parked"] {
  const whole = { provider: "first", endpoint: first, model: null };
  return { ...whole, reason: "rate_limited", until: new Date(until).toISOString() };
}

judges("guard", "until a binding is proven one turn at a time runs under it", (life, isBroken) => {
  life.accept("m1").started("m1").accept("m2", 1, "b", "two");
  const call = life.call();
  if (!isBroken) life.ended(call).done("m1");
  life.started("m2", 1, { session: "b" }).call({ session: "b", content: "two" });
});

judges("guard", "a canary that is refused holds its binding", (life, isBroken) => {
  life.accept("m1").started("m1");
  life.refused(life.call(), "auth");
  if (!isBroken) life.tell("settings.held", { ...held, model: "one", reason: "auth" });
  life.requeued("m1", isBroken ? "retry" : "held", "auth");
});

judges("guard", "nobody goes to what is held for its key", (life, isBroken) => {
  life.accept("m1").started("m1");
  life
    .refused(life.call(), "auth")
    .tell("settings.held", { ...held, model: "one", reason: "auth" })
    .requeued("m1", "held", "auth");
  if (!isBroken) life.wait(1).ask("POST", "/api/settings/release", { status: 200 });
  if (!isBroken) life.tell("settings.released", { provider: "first", endpoint: first, model: "one" });
  life.wait(1).started("m1");
  life.ended(life.call()).done("m1");
});

judges(
  "guard",
  "where the store fails, that another value ended a hold may not be told",
  (life, isBroken) => {
    if (!isBroken) life.see({ kind: "fault", fault: "commit fails", phase: "once", detail: "" });
    life.accept("m1").started("m1");
    life
      .refused(life.call(), "auth")
      .tell("settings.held", { ...held, model: "one", reason: "auth" })
      .requeued("m1", "held", "auth");
    life.wait(1).edit(newKey).changed(2, ["providers.first.apiKey"]);
    life.wait(1).edit(settings).changed(3, ["providers.first.apiKey"]);
    life.wait(1).started("m1", 1, { revision: 3 });
    life.ended(life.call()).done("m1");
  },
);

judges(
  "guard",
  "where the store fails, that nobody wanted what was held any more may not be told",
  (life, isBroken) => {
    if (isBroken) life.see({ kind: "fault", fault: "commit fails", phase: "once", detail: "" }).wait(60_000);
    life.accept("m1").started("m1");
    life
      .refused(life.call(), "auth")
      .tell("settings.held", { ...held, model: "one", reason: "auth" })
      .requeued("m1", "held", "auth");
    if (!isBroken) life.see({ kind: "fault", fault: "commit fails", phase: "once", detail: "" });
    life.wait(1).ask("PATCH", "/api/sessions/a", { status: 200 }, { provider: "second" });
    life.wait(1).ask("PATCH", "/api/sessions/a", { status: 200 }, { provider: null });
    life.wait(1).started("m1");
    life.ended(life.call()).done("m1");
  },
);

judges("guard", "sessions go back to what was answered, at the same endpoint", (life, isBroken) => {
  life.whole("m1").edit(newKey).changed(2, ["providers.first.apiKey"]).wait(1);
  life.accept("m2", 2).started("m2", 2, { revision: 2 });
  life.refused(life.call({ key: "key-that-is-new", turns: hello }), "auth");
  life
    .tell("settings.held", { ...held, model: "one", reason: "auth" })
    .requeued("m2", "held", "auth", { seq: 2 });
  const back = isBroken ? { endpoint: "http://second.test/v1", key: "key-of-second", model: "two" } : {};
  const told = isBroken ? { provider: "second", model: "two" } : {};
  life.wait(1).started("m2", 2, told);
  life.ended(life.call({ turns: hello, ...back })).done("m2", 2);
});

judges("fresh", "a hold that a failing store lost is not ended by what is read late", (life, isBroken) => {
  life.whole("m1").edit(newKey).changed(2, ["providers.first.apiKey"]).wait(1);
  const under = { revision: 2 };
  const released = { provider: "first", endpoint: first, model: "one", at: life.iso };
  if (!isBroken) life.see({ kind: "fault", fault: "store busy", phase: "begins", detail: "" });
  life.wait(1).accept("m2", 2).started("m2", 2, under);
  life.refused(life.call({ key: "key-that-is-new", turns: hello }), "auth");
  life.tell("settings.released", released).requeued("m2", "held", "auth", { seq: 2 });
  life.wait(5000).started("m2", 2, under);
  life.ended(life.call({ turns: hello })).done("m2", 2);
});

judges("fresh", "without a hold nobody goes back", (life, isBroken) => {
  life.whole("m1").edit(newKey).changed(2, ["providers.first.apiKey"]).wait(1);
  life.accept("m2", 2).started("m2", 2, { revision: 2 });
  life.ended(life.call({ key: isBroken ? "key-of-first" : "key-that-is-new", turns: hello })).done("m2", 2);
});

judges("to its own endpoint", "a key goes only where it was set for", (life, isBroken) => {
  life
    .accept("m1")
    .started("m1")
    .call({ key: isBroken ? "key-of-second" : "key-of-first" });
});

judges("parks", "nobody goes there before its time", (life, isBroken) => {
  life.whole("m1").accept("m2", 2).started("m2", 2);
  life.refused(life.call({ turns: hello }), "rate_limited", 5000);
  life.tell("provider.parked", rateLimited(life.now + 5000));
  life
    .requeued("m2", "retry", "rate_limited", { seq: 2 })
    .wait(isBroken ? 4000 : 5000)
    .started("m2", 2);
  life.ended(life.call({ turns: hello })).done("m2", 2);
});

judges("parks", "where the store fails, that another key ended one may not be told", (life, isBroken) => {
  if (!isBroken) life.see({ kind: "fault", fault: "commit fails", phase: "once", detail: "" });
  life.whole("m1").accept("m2", 2).started("m2", 2);
  life.refused(life.call({ turns: hello }), "auth");
  const until = new Date(life.now + 900_000).toISOString();
  life.tell("provider.parked", { provider: "first", endpoint: first, model: null, reason: "auth", until });
  life.requeued("m2", "retry", "auth", { seq: 2 });
  life.wait(1).edit(newKey).changed(2, ["providers.first.apiKey"]);
  life.wait(1).edit(settings).changed(3, ["providers.first.apiKey"]);
  life.wait(1).started("m2", 2, { revision: 3 });
  life.ended(life.call({ turns: hello })).done("m2", 2);
});

judges("parks", "it lasts as long as was asked for", (life, isBroken) => {
  life.whole("m1").accept("m2", 2).started("m2", 2);
  life.refused(life.call({ turns: hello }), "rate_limited", 5000);
  life.tell("provider.parked", rateLimited(life.now + (isBroken ? 2000 : 5000)));
});

judges("parks", "at its end one turn goes first", (life, isBroken) => {
  life.whole("m1").accept("m2", 2).accept("n1", 1, "b", "two").started("m2", 2);
  life.refused(life.call({ turns: hello }), "rate_limited", 5000);
  life.tell("provider.parked", rateLimited(life.now + 5000));
  life.requeued("m2", "retry", "rate_limited", { seq: 2 }).wait(5000).started("m2", 2);
  const probe = life.call({ turns: hello });
  if (!isBroken)
    life
      .wait(10)
      .ended(probe)
      .tell("provider.ready", { provider: "first", endpoint: first, model: null })
      .done("m2", 2);
  life.started("n1", 1, { session: "b" });
  const other = life.call({ session: "b", content: "two" });
  life.wait(10);
  if (isBroken) life.ended(probe).done("m2", 2);
  life.ended(other).done("n1", 1, "b");
});

judges("parks", "where the store fails, that a silent one ended it may not be told", (life, isBroken) => {
  life.see({ kind: "fault", fault: "store busy", phase: "once", detail: "" });
  life.whole("m1").accept("m2", 2).accept("n1", 1, "b", "two").accept("o1", 1, "c", "three");
  life.started("m2", 2);
  life.refused(life.call({ turns: hello }), "rate_limited", 5000);
  life.tell("provider.parked", rateLimited(life.now + 5000));
  life.requeued("m2", "retry", "rate_limited", { seq: 2 }).wait(5000).started("m2", 2);
  const probe = life.call({ turns: hello });
  life
    .wait(isBroken ? 1000 : 120_000)
    .ask("POST", "/api/sessions/a/restart", { status: 200 }, { when: "now" });
  life.see({ kind: "callAborted", call: probe, ignoring: false });
  if (isBroken) life.requeued("m2", "restart", null, { seq: 2 });
  else
    life.requeued("m2", "retry", "overloaded", { seq: 2, retryAt: new Date(life.now + 2000).toISOString() });
  life.started("n1", 1, { session: "b" });
  const second = life.call({ session: "b", content: "two" });
  life.started("o1", 1, { session: "c" });
  const third = life.call({ session: "c", content: "three" });
  life.wait(10).ended(second).done("n1", 1, "b").ended(third).done("o1", 1, "c");
});

judges(
  "slots",
  "no more turns at once than a provider may have",
  (life, isBroken) => {
    life
      .whole("m1")
      .accept("n1", 1, "b", "two")
      .accept("o1", 1, "c", "three")
      .started("n1", 1, { session: "b" });
    const call = life.call({ session: "b", content: "two" });
    if (!isBroken) life.ended(call).done("n1", 1, "b");
    life.started("o1", 1, { session: "c" }).call({ session: "c", content: "three" });
  },
  { ...settings, limits: { turnsPerProvider: 1 } },
);

judges(
  "budget",
  "no turn starts once the day's tokens are used up",
  (life, isBroken) => {
    life
      .whole("m1")
      .accept("m2", 2)
      .wait(isBroken ? 1 : 86_400_000)
      .started("m2", 2)
      .tell("session.busy", { session: "a", inFlight: 1 });
  },
  { ...settings, limits: { tokensPerDay: 15 } },
);

judges("nothing leaks", "no slot is taken at rest", (life, isBroken) => {
  const { stats } = readings(life.iso);
  const providers = { first: { state: "ready" as const, inFlight: isBroken ? 1 : 0, parks: [] } };
  life.rest({ stats: { ...stats, providers } });
});

judges("nothing leaks", "no call is open at rest", (life, isBroken) => {
  life.accept("m1").started("m1");
  const call = life.call();
  if (!isBroken) life.ended(call).done("m1");
  const { stats } = readings(life.iso);
  life.rest({
    sessions: [session("a")],
    messages: [doneMessage("m1")],
    stats: { ...stats, tokensToday: 15 },
  });
});

judges("nothing leaks", "a daemon that was stopped leaves nothing", (life, isBroken) => {
  life.see({ kind: "end", timers: isBroken ? 1 : 0, listeners: 0, databases: 0, watches: 0, calls: 0 });
});

judges("rest", "what is pending at rest waits for something", (life, isBroken) => {
  const waits = { state: "waiting" as const, waitingFor: "budget" as const };
  life.accept("m1").rest({
    sessions: [session("a", { pending: 1, ...(isBroken ? {} : waits) })],
    messages: [message("m1")],
  });
});

judges("to its own endpoint", "an edit by API moves no key to another", (life, isBroken) => {
  const second = { kind: "openai", baseUrl: "http://second.test/v1", model: "two" };
  const moved = { ...second, baseUrl: "http://elsewhere.test/v1", apiKey: "key-of-second" };
  const given = isBroken ? {} : { apiKey: "key-of-second" };
  const body = { providers: { second: { baseUrl: "http://elsewhere.test/v1", ...given } } };
  const document = { ...settings, providers: { ...(settings["providers"] as object), second: moved } };
  life.ask("PATCH", "/api/settings", { status: 200, body: { revision: 2 } }, body);
  life.see({ kind: "written", document, text: JSON.stringify(document) });
});

judges("parks", "who waits for a provider is in a park that is shown", (life, isBroken) => {
  const park = { endpoint: isBroken ? "http://second.test/v1" : first, model: null, reason: "rate_limited" };
  const times = { since: life.iso, until: life.iso, sessions: 1 };
  const providers = { first: { state: "parked" as const, inFlight: 0, parks: [{ ...park, ...times }] } };
  life.accept("m1").read({
    sessions: [session("a", { pending: 1, state: "waiting", waitingFor: "rate_limited" })],
    messages: [message("m1")],
    stats: { ...readings(life.iso).stats, providers },
  });
});

judges("rest", "who has a message pending is at work or waits", (life, isBroken) => {
  const state = isBroken
    ? ({ state: "idle" } as const)
    : ({ state: "waiting", waitingFor: "retry" } as const);
  life.accept("m1").read({
    sessions: [session("a", { pending: 1, ...state })],
    messages: [message("m1")],
  });
});

judges("rest", "who waits for a slot waits for a turn", (life, isBroken) => {
  life.accept("m1").accept("n1", 1, "b", "two").started("m1");
  const call = life.call();
  if (isBroken) life.ended(call).done("m1");
  life.read({
    sessions: [
      session("b", { pending: 1, state: "waiting", waitingFor: "slot" }),
      session("a", { state: isBroken ? "idle" : "busy" }),
    ],
    messages: [
      isBroken ? doneMessage("m1") : message("m1", { status: "running" }),
      message("n1", { session: "b", content: "two" }),
    ],
  });
});

judges(
  "rest",
  "a call that does not hear its abort has its slot until it must have settled",
  (life, isBroken) => {
    life.accept("m1").started("m1");
    const call = life.call();
    life.ask("POST", "/api/messages/m1/cancel", { status: 200 });
    life.see({ kind: "callAborted", call, ignoring: true });
    life.tell("message.cancelled", { session: "a", message: "m1", seq: 1 }).accept("m2", 1, "b");
    const waiting = session("b", { pending: 1, state: "waiting", waitingFor: "slot" });
    const messages = [message("m1", { status: "cancelled" }), message("m2", { session: "b" })];
    life.wait(isBroken ? 6000 : 4000).read({ sessions: [session("a"), waiting], messages });
  },
);
