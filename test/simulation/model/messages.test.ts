import { judges } from "./judged.ts";
import { answered, doneMessage, message, readings, session, settings } from "./written-life.ts";

const hello = [
  { role: "user" as const, content: "hello" },
  { role: "assistant" as const, content: "hi" },
];
const batch = { ...settings, turn: { mode: "batch" } };
const used = (tokensToday: number) => ({
  stats: { ...readings("2030-01-01T01:00:00.000Z").stats, tokensToday },
});

judges(
  "accepted means kept",
  "what was answered with 202 is there when everything is read",
  (life, isBroken) => {
    life.accept("m1").read({
      sessions: [session("a", { state: "busy", pending: isBroken ? 0 : 1 })],
      messages: isBroken ? [] : [message("m1")],
    });
  },
);

judges("accepted means kept", "it says what was posted", (life, isBroken) => {
  const content = isBroken ? "hell" : "hello";
  life.accept("m1").read({
    sessions: [session("a", { state: "busy", pending: 1 })],
    messages: [message("m1", { content })],
  });
});

judges("accepted means kept", "a deletion cancels what has not ended", (life, isBroken) => {
  life.accept("m1").ask("DELETE", "/api/sessions/a", { status: 204 });
  if (!isBroken) life.tell("message.cancelled", { session: "a", message: "m1", seq: 1 });
  life.tell("session.deleted", { session: "a" }).rest();
});

judges("exactly one outcome", "who is done does not end again", (life, isBroken) => {
  life.whole("m1");
  if (isBroken) life.failed("m1", "invalid_request");
});

judges("exactly one outcome", "who was answered is done", (life, isBroken) => {
  life.accept("m1").started("m1");
  const call = life.call();
  if (isBroken) life.ended(call, { kind: "empty" });
  else life.ended(call);
  life.done("m1");
});

judges("exactly one outcome", "nobody is done without a call", (life, isBroken) => {
  life.accept("m1").started("m1");
  if (!isBroken) life.ended(life.call());
  life.done("m1");
});

judges("exactly one outcome", "an answer is not thrown away", (life, isBroken) => {
  life.accept("m1").started("m1");
  life.ended(life.call());
  if (isBroken) life.requeued("m1", "retry");
  else life.done("m1");
});

judges("exactly one outcome", "a reply stays as it was read first", (life, isBroken) => {
  life.whole("m1").read({ sessions: [session("a")], messages: [doneMessage("m1")] });
  const reply = isBroken ? "another" : "hi";
  life.read({ sessions: [session("a")], messages: [doneMessage("m1", { reply })] });
});

judges("exactly one outcome", "what was told as done is read as done", (life, isBroken) => {
  life.whole("m1").read({
    sessions: [session("a", { pending: isBroken ? 1 : 0 })],
    messages: [isBroken ? message("m1") : doneMessage("m1")],
  });
});

judges(
  "exactly one outcome",
  "a message whose cancel was answered with 200 is cancelled",
  (life, isBroken) => {
    life.accept("m1").ask("POST", "/api/messages/m1/cancel", { status: 200, body: message("m1") });
    if (isBroken) {
      life.started("m1");
      life.ended(life.call()).done("m1");
      life.rest({ sessions: [session("a")], messages: [doneMessage("m1")], ...used(15) });
      return;
    }
    life.tell("message.cancelled", { session: "a", message: "m1", seq: 1 });
    life.rest({ sessions: [session("a")], messages: [message("m1", { status: "cancelled" })] });
  },
);

judges("exactly one outcome", "with a session go the keys of its messages", (life, isBroken) => {
  const headers = { "Idempotency-Key": "once" };
  life.accept("m1", 1, "a", "hello", headers);
  if (!isBroken) life.ask("DELETE", "/api/sessions/a", { status: 204 });
  life.ask(
    "POST",
    "/api/sessions/a/messages",
    { status: 202, body: message("m2") },
    { content: "hello" },
    headers,
  );
});

judges("exactly one outcome", "a repeated Idempotency-Key makes no second message", (life, isBroken) => {
  const headers = { "Idempotency-Key": "once" };
  life.accept("m1", 1, "a", "hello", headers);
  const body = message(isBroken ? "m2" : "m1");
  const replayed = { "Idempotency-Replayed": "true" };
  life.ask(
    "POST",
    "/api/sessions/a/messages",
    { status: 200, body, headers: replayed },
    { content: "hello" },
    headers,
  );
});

judges("in order", "the lowest seq comes first", (life, isBroken) => {
  life.accept("m1").accept("m2", 2, "a", "two");
  if (isBroken) life.started("m2", 2);
  else life.started("m1");
});

judges("in order", "numbers rise with acceptance", (life, isBroken) => {
  life
    .accept("m1")
    .accept("m2", 2)
    .accept("m3", isBroken ? 2 : 3);
});

judges("one turn at a time", "a turn begins when the one before has ended", (life, isBroken) => {
  life.accept("m1").accept("m2", 2, "a", "two").started("m1");
  const call = life.call();
  if (!isBroken) life.ended(call).done("m1");
  life
    .wait(1)
    .started("m2", 2)
    .read({
      sessions: [session("a")],
      messages: [
        isBroken ? message("m1", { status: "running" }) : doneMessage("m1"),
        message("m2", { seq: 2, content: "two", status: "running" }),
      ],
    });
});

judges("one turn at a time", "two calls of a session do not overlap", (life, isBroken) => {
  life.accept("m1").accept("m2", 2, "a", "two").started("m1");
  const call = life.call();
  if (!isBroken) life.ended(call).done("m1").started("m2", 2);
  life.call({ content: "two", turns: hello });
});

judges(
  "one turn at a time",
  "only a batch takes several",
  (life, isBroken) => {
    if (isBroken) life.edit(settings).changed(2, ["turn.mode"]);
    const revision = isBroken ? 2 : 1;
    life
      .wait(1)
      .accept("m1")
      .accept("m2", 2, "a", "two")
      .started("m1", 1, { revision })
      .started("m2", 2, { revision })
      .read({
        sessions: [session("a")],
        messages: [
          message("m1", { status: "running" }),
          message("m2", { seq: 2, content: "two", status: "running" }),
        ],
        status: { ...readings(life.iso).status, revision },
      });
  },
  batch,
);

judges("one turn at a time", "a generator is replaced by another that knows it", (life, isBroken) => {
  const label = { provider: "first", model: "one", revision: 1 };
  const data = { session: "a", from: label, to: label, reason: "requested" as const, waitedMs: 0 };
  life.accept("m1").tell("session.restarted", { ...data, oldGeneratorId: "g1", generatorId: "g2" });
  life.tell("session.restarted", { ...data, oldGeneratorId: isBroken ? "g1" : "g2", generatorId: "g3" });
});

judges("free", "a call belongs to a message", (life, isBroken) => {
  life.whole("m1");
  if (isBroken) life.ended(life.call({ turns: hello }));
  life.rest({ sessions: [session("a")], messages: [doneMessage("m1")], ...used(15) });
});

judges("context", "a provider is given what was said before, in order", (life, isBroken) => {
  life.whole("m1").whole("m2", 2, "two", isBroken ? [] : hello);
});

judges("context", "a note is given once", (life, isBroken) => {
  const note = { role: "user" as const, content: "[system] The daemon restarted on request." };
  life.whole("m1").tell("daemon.draining", { reason: "request", graceMs: 20_000, inFlight: 0 });
  life.tell("daemon.restarted", { url: "", downtimeMs: 0, sessions: 1, requeued: 0 });
  life.whole("m2", 2, "two", [...hello, note]);
  const two = [
    { role: "user" as const, content: "two" },
    { role: "assistant" as const, content: "hi" },
  ];
  life.whole("m3", 3, "three", [...hello, note, ...two, ...(isBroken ? [note] : [])]);
});

judges("context", "who was in flight at a crash is told of it", (life, isBroken) => {
  const note = { role: "user" as const, content: "[system] The daemon stopped unexpectedly." };
  life.accept("m1").started("m1");
  const lost = life.call();
  life.see({ kind: "crash", boot: 1, variant: "idle" }).see({ kind: "callLost", call: lost });
  life.requeued("m1", "crash", "interrupted").started("m1");
  life.ended(life.call({ turns: isBroken ? [] : [note] })).done("m1");
});

judges(
  "context",
  "another process gives a note, whether it has told that it started or not",
  (life, isBroken) => {
    const note = { role: "user" as const, content: "[system] The daemon stopped unexpectedly." };
    life.whole("m1").accept("m2", 2, "a", "two").started("m2", 2);
    const boot = isBroken ? 1 : 2;
    life.ended(life.call({ boot, content: "two", turns: [...hello, note] })).done("m2", 2);
  },
);

judges("context", "it rolls over once a turn read more than the limit", (life, isBroken) => {
  life.accept("m1").started("m1");
  const usage = { inputTokens: 200_000, outputTokens: 5 };
  life
    .ended(life.call(), { ...answered, kind: "answered", reply: "hi", finish: "stop", usage })
    .done("m1", 1, "a", usage);
  if (!isBroken) life.tell("session.rolled_over", { session: "a", epoch: 2 });
  life.whole("m2", 2, "two", hello);
});

judges("budget", "what is told to be used was used", (life, isBroken) => {
  life.accept("m1").started("m1");
  life.ended(life.call()).done("m1", 1, "a", { inputTokens: isBroken ? 11 : 10, outputTokens: 5 });
});

judges("exactly one outcome", "the reply that is stored is the one that was given", (life, isBroken) => {
  const reply = isBroken ? "h" : "hi";
  life.whole("m1").read({ sessions: [session("a")], messages: [doneMessage("m1", { reply })] });
});
