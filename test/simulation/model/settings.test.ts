import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { Document } from "../history.ts";
import { judges } from "./judged.ts";
import { WrittenLife, message, readings, session, settings } from "./written-life.ts";

const other = { ...settings, provider: "second" };
const restarted = { oldGeneratorId: "g1", generatorId: "g2", waitedMs: 0 };
const from = { provider: "first", model: "one", revision: 1 };
const hashOf = (document: unknown): string =>
  createHash("sha256").update(JSON.stringify(document)).digest("hex");
const second = { provider: "second", model: "two" };
const there = { endpoint: "http://second.test/v1", key: "key-of-second", model: "two" };

judges("fresh", "a turn runs under the revision in force", (life, isBroken) => {
  life.edit(other).changed(2, ["provider"]).wait(1).accept("m1");
  life
    .started("m1", 1, isBroken ? {} : { ...second, revision: 2 })
    .tell("session.busy", { session: "a", inFlight: 1 });
});

judges("fresh", "its call goes where that revision says", (life, isBroken) => {
  life
    .edit(other)
    .changed(2, ["provider"])
    .wait(1)
    .accept("m1")
    .started("m1", 1, { ...second, revision: 2 });
  life
    .ended(
      life.call({ ...there, ...(isBroken && { endpoint: "http://first.test/v1", key: "key-of-first" }) }),
    )
    .done("m1");
});

judges("fresh", "a session that wishes for another provider gets that", (life, isBroken) => {
  const overrides = { provider: "second", model: null, mode: null };
  life
    .accept("m0")
    .ask(
      "PATCH",
      "/api/sessions/a",
      { status: 200, body: session("a", { overrides }) },
      { provider: "second" },
    );
  life.wait(1).started("m0", 1, isBroken ? {} : second);
  life.ended(life.call(isBroken ? {} : there)).done("m0");
});

judges(
  "fresh",
  "a fallback is taken only while the chosen one is parked",
  (life, isBroken) => {
    const refused = (): void => {
      life.accept("m1").started("m1");
      life.refused(life.call(), "rate_limited", 60_000);
      const until = new Date(life.now + 60_000).toISOString();
      life.tell("provider.parked", {
        provider: "first",
        endpoint: "http://first.test/v1",
        model: null,
        reason: "rate_limited",
        until,
      });
      life.requeued("m1", "retry", "rate_limited");
    };
    if (isBroken) life.accept("m1");
    else refused();
    life.wait(1).started("m1", 1, second);
    life.ended(life.call(there)).done("m1");
  },
  { ...settings, fallback: ["second"] },
);

test.each([
  { key: "provider", isFound: true },
  { key: "turn.system", isFound: false },
])(
  "a bad edit changes nothing: a start without a file has the defaults, and $key is found to change them: $isFound",
  (it) => {
    const life = new WrittenLife();
    life.see({ kind: "born", seed: 1, document: settings });
    life.see({ kind: "edit", how: "deleted", document: undefined, isGood: false, text: undefined });
    life.see({ kind: "reader", reader: 1, phase: "opened", after: 0, query: "" });
    life.changed(1, [], "start").wait(1).edit(settings);
    const change = (): unknown => life.changed(2, [it.key]);
    if (it.isFound) expect(change).not.toThrow();
    else expect(change).toThrow("a bad edit changes nothing");
  },
);

judges("a bad edit changes nothing", "what is in force was good", (life, isBroken) => {
  life.edit(other, !isBroken).changed(2, ["provider"]);
  life.read({ status: { ...readings(life.iso).status, revision: 2, hash: hashOf(other) } });
});

judges("a bad edit changes nothing", "a start on it goes on with what was in force", (life, isBroken) => {
  life.wait(1).edit(other, !isBroken).see({ kind: "crash", boot: 1, variant: "idle" });
  life.see({ kind: "boot", boot: 2, phase: "asked" }).changed(2, ["provider"], "start");
});

judges("a bad edit changes nothing", "a start tells what it changes", (life, isBroken) => {
  life.wait(1).edit(other).see({ kind: "crash", boot: 1, variant: "idle" });
  life.see({ kind: "boot", boot: 2, phase: "asked" });
  life.changed(2, [isBroken ? "turn.maxAttempts" : "provider"], "start");
});

/** A key that comes by a reference leads elsewhere, and then the file is spoilt and the daemon started anew. */
function startElsewhere(life: WrittenLife, written: string): void {
  const withKey = (apiKey: string) => ({
    provider: "first",
    providers: { first: { kind: "openai", baseUrl: "http://first.test/v1", apiKey, model: "one" } },
  });
  const edit = { kind: "edit" as const, how: "rename" as const, isGood: true };
  const text = JSON.stringify(withKey(written));
  const reference = { kind: "reference" as const, reference: "file:first.key" };
  life.see({ ...reference, value: "one-key" });
  life.see({ ...edit, document: withKey("one-key"), text }).changed(2, ["providers.first.apiKey"]);
  life
    .wait(1)
    .edit(other)
    .edit(other, false)
    .see({ ...reference, value: "key-of-second" })
    .wait(1);
  life.see({ kind: "crash", boot: 1, variant: "idle" });
  life.see({ kind: "boot", boot: 2, phase: "asked" }).changed(3, ["providers.first.apiKey"], "start");
}

judges("a bad edit changes nothing", "a start on it asks anew where references lead", (life, isBroken) => {
  startElsewhere(life, isBroken ? "one-key" : "file:first.key");
});

judges("fresh", "where references lead is asked anew at a start on a bad file", (life, isBroken) => {
  startElsewhere(life, "file:first.key");
  life.wait(1).accept("m1").started("m1", 1, { revision: 3 });
  life.ended(life.call({ boot: 2, key: isBroken ? "one-key" : "key-of-second" })).done("m1");
});

judges("to its own endpoint", "a key goes where a reference to it stands", (life, isBroken) => {
  startElsewhere(life, "file:first.key");
  const endpoint = isBroken ? "http://third.test/v1" : "http://first.test/v1";
  life
    .wait(1)
    .accept("m1")
    .started("m1", 1, { revision: 3 })
    .call({ boot: 2, key: "key-of-second", endpoint });
});

judges("events", "a revision changes something", (life, isBroken) => {
  life.edit(other).changed(2, isBroken ? [] : ["provider"], "api");
});

judges(
  "a bad edit changes nothing",
  "what a write of the daemon means was read before it",
  (life, isBroken) => {
    const turn = { system: "Be brief." };
    const withKey = (apiKey: string): Document => ({
      provider: "first",
      providers: { first: { kind: "openai", baseUrl: "http://first.test/v1", apiKey, model: "one" } },
    });
    const text = JSON.stringify(withKey("file:first.key"));
    const brief = JSON.stringify({ ...withKey("file:first.key"), turn });
    const reference = { kind: "reference" as const, reference: "file:first.key" };
    life.see({ ...reference, value: "key-of-first" });
    const document = withKey("key-of-first");
    life.see({ kind: "edit", how: "rename", isGood: true, document, text });
    life.changed(2, ["providers.second.apiKey"]).wait(1);
    if (!isBroken) life.see({ ...reference, value: "another-key" });
    const asked = { request: 99, boot: 1, method: "PATCH", path: "/api/settings", headers: {}, body: {} };
    life.see({ kind: "request", ...asked });
    const meant = withKey(isBroken ? "key-of-first" : "another-key");
    life.see({ kind: "written", document: { ...meant, turn }, text: brief });
    life.changed(3, ["turn.system"], "api").wait(1).changed(4, ["providers.first.apiKey"]);
  },
);

judges("a bad edit changes nothing", "what changes stands in a good edit", (life, isBroken) => {
  life.edit(isBroken ? { ...settings, turn: { maxAttempts: 0 } } : other, !isBroken);
  life.changed(2, ["provider"]);
});

judges("noticed", "a good edit is in force in time", (life, isBroken) => {
  life.edit(other);
  if (!isBroken) life.changed(2, ["provider"]);
  const { status } = readings(life.iso);
  const seen = isBroken ? status : { ...status, revision: 2, hash: hashOf(other) };
  life.wait(10_000).read({ status: seen });
});

judges("noticed", "an edit that was hinted at is in force after the quiet time", (life, isBroken) => {
  life.wait(100).hint("delivered").edit(other);
  life.wait(isBroken ? 2000 : 1400).changed(2, ["provider"]);
});

judges("noticed", "a provider that fails keeps no edit from it", (life, isBroken) => {
  life.see({ kind: "fault", fault: "provider", phase: "begins", detail: "http://first.example/v1 slow" });
  life.see({ kind: "fault", fault: "code slow", phase: "begins", detail: "openai" });
  life.wait(100).hint("delivered").edit(other);
  life.wait(isBroken ? 2000 : 1400).changed(2, ["provider"]);
});

judges("noticed", "a hint that is still to come may put it off", (life, isBroken) => {
  life.wait(100).hint(isBroken ? "doubled" : "late");
  life.wait(100).hint("delivered").edit(other);
  life.wait(2000).changed(2, ["provider"]);
});

judges("noticed", "a hint of another file is none of the edit", (life, isBroken) => {
  life
    .wait(100)
    .hint("doubled", "reference")
    .hint(isBroken ? "delivered" : "lost")
    .edit(other);
  life.wait(2500).read();
});

judges("noticed", "a hint of another edit in the same moment is none of this one", (life, isBroken) => {
  life
    .wait(100)
    .hint(isBroken ? "delivered" : "late")
    .edit(other);
  life.wait(0).hint("doubled").wait(2500).read();
});

/** Settings whose first key comes by a reference, as they mean it, and as they are written. */
function referring(key: string, more: Document = {}): { document: Document; text: string } {
  const withKey = (apiKey: string): Document => ({
    ...settings,
    providers: {
      ...(settings["providers"] as object),
      first: { kind: "openai", baseUrl: "http://first.test/v1", apiKey, model: "one" },
    },
    ...more,
  });
  return { document: withKey(key), text: JSON.stringify(withKey("file:first.key")) };
}

const reference = { kind: "reference" as const, reference: "file:first.key" };

judges("noticed", "where a reference leads is in force in time", (life, isBroken) => {
  const saved = { kind: "edit" as const, how: "rename" as const, isGood: true };
  const { document, text } = referring("key-of-first");
  life
    .see({ ...reference, value: "key-of-first" })
    .see({ ...saved, document, text })
    .wait(10_000);
  life.see({ ...reference, value: "another-key" });
  const { document: meant } = referring("another-key");
  life.see({ kind: "edit", how: "in place", isGood: true, document: meant, text: undefined });
  if (!isBroken) life.changed(2, ["providers.first.apiKey"]);
  const hash = createHash("sha256").update(text).digest("hex");
  life.wait(10_000).read({ status: { ...readings(life.iso).status, revision: isBroken ? 1 : 2, hash } });
});

judges(
  "a bad edit changes nothing",
  "the text before may be read with what its reference leads to after",
  (life, isBroken) => {
    const saved = { kind: "edit" as const, how: "rename" as const, isGood: true };
    life.see({ ...reference, value: "key-of-first" }).see({ ...saved, ...referring("key-of-first") });
    life.wait(10_000).see({ ...saved, ...referring("key-of-first", { turn: { system: "Be brief." } }) });
    if (isBroken) life.wait(1);
    life.see({ ...reference, value: "another-key" });
    const { document } = referring("another-key", { turn: { system: "Be brief." } });
    life.see({ kind: "edit", how: "in place", isGood: true, document, text: undefined });
    life.changed(2, ["providers.first.apiKey"]).changed(3, ["turn.system"]);
  },
);

judges("noticed", "a bad edit is told in time", (life, isBroken) => {
  life.wait(1).edit(other, false);
  const problems = isBroken ? [] : [{ path: "provider", message: "is none" }];
  life.wait(10_000).read({ status: { ...readings(life.iso).status, problems } });
});

judges("events", "revisions are counted one by one", (life, isBroken) => {
  life.edit(other).changed(isBroken ? 3 : 2, ["provider"]);
});

judges("pending restarts", "who runs under another binding is to restart", (life, isBroken) => {
  life.accept("m1").edit(other).changed(2, ["provider"]);
  const due = { reason: "provider_changed" as const, requestedAt: life.iso, blockedBy: "turn" as const };
  const pendingRestarts = [
    { session: "a", reason: due.reason, waitingSince: life.iso, blockedBy: due.blockedBy },
  ];
  life.read({
    sessions: [session("a", { state: "busy", pending: 1, pendingRestart: isBroken ? null : due })],
    messages: [message("m1")],
    status: { ...readings(life.iso).status, revision: 2, pendingRestarts: isBroken ? [] : pendingRestarts },
  });
});

judges("pending restarts", "the status lists what the sessions show", (life, isBroken) => {
  const due = { reason: "requested" as const, requestedAt: life.iso, blockedBy: "turn" as const };
  const pendingRestarts = [
    { session: "a", reason: due.reason, waitingSince: life.iso, blockedBy: due.blockedBy },
  ];
  life.accept("m1").read({
    sessions: [session("a", { state: "busy", pending: 1, pendingRestart: due })],
    messages: [message("m1")],
    status: { ...readings(life.iso).status, pendingRestarts: isBroken ? [] : pendingRestarts },
  });
});

judges("pending restarts", "nothing is due at rest", (life, isBroken) => {
  const due = { reason: "requested" as const, requestedAt: life.iso, blockedBy: "step" as const };
  const pendingRestarts = [
    { session: "a", reason: due.reason, waitingSince: life.iso, blockedBy: due.blockedBy },
  ];
  life.tell("session.created", { session: "a" }).rest({
    sessions: [session("a", { pendingRestart: isBroken ? due : null })],
    status: { ...readings(life.iso).status, pendingRestarts: isBroken ? pendingRestarts : [] },
  });
});

judges("attempts", "another binding forgets them, a restart by hand does not", (life, isBroken) => {
  life.accept("m1").started("m1");
  life.ended(life.call(), { kind: "cut" });
  life.requeued("m1", "retry", "overloaded", { retryAt: new Date(life.now + 2000).toISOString() });
  life.edit(other).changed(2, ["provider"]);
  const reason = isBroken ? ("requested" as const) : ("provider_changed" as const);
  life.tell("session.restarted", {
    session: "a",
    from,
    to: { ...second, revision: 2 },
    ...restarted,
    reason,
  });
  life.wait(1).started("m1", 1, { ...second, revision: 2 });
});

judges("drain", "no turn begins in one", (life, isBroken) => {
  life.accept("m1").tell("daemon.draining", { reason: "request", graceMs: 20_000, inFlight: 0 });
  if (!isBroken) life.tell("daemon.restarted", { url: "", downtimeMs: 0, sessions: 1, requeued: 0 });
  life.started("m1").tell("session.busy", { session: "a", inFlight: 1 });
});

judges("drain", "turns have the grace to end", (life, isBroken) => {
  life
    .accept("m1")
    .started("m1")
    .tell("daemon.draining", { reason: "request", graceMs: 20_000, inFlight: 1 });
  life.wait(isBroken ? 100 : 20_000).requeued("m1", "drain");
});

judges("secrets stay in", "no answer shows a key", (life, isBroken) => {
  const apiKey = isBroken ? "key-of-first" : "••••";
  life.ask("GET", "/api/settings", { status: 200, body: { settings: { providers: { first: { apiKey } } } } });
});

judges("secrets stay in", "no event shows one, whatever a provider says", (life, isBroken) => {
  life.accept("m1").started("m1");
  life.refused(life.call(), "invalid_request");
  const text = isBroken ? "wrong key key-of-first" : "wrong key ••••";
  life.tell("message.failed", {
    session: "a",
    message: "m1",
    seq: 1,
    error: { kind: "invalid_request", message: text },
  });
});

judges("loading never writes", "only who asks for it has the settings written", (life, isBroken) => {
  if (!isBroken)
    life.ask("PATCH", "/api/settings", { status: 200, body: { revision: 2 } }, { provider: "second" });
  life.see({ kind: "written", document: other, text: JSON.stringify(other) });
});

judges("drain", "a second one does not make the first longer, nor shorter", (life, isBroken) => {
  const draining = { reason: "request", graceMs: 20_000, inFlight: 1 };
  life
    .accept("m1")
    .started("m1")
    .tell("daemon.draining", draining)
    .wait(5000)
    .tell("daemon.draining", draining);
  life.wait(isBroken ? 14_000 : 15_000).requeued("m1", "drain");
});

judges(
  "drain",
  "it has the grace of the settings in force, which a slow store puts off",
  (life, isBroken) => {
    if (!isBroken) life.see({ kind: "fault", fault: "store slow", phase: "begins", detail: "" });
    life
      .wait(60_000)
      .edit({ ...settings, daemon: { graceMs: 0 } })
      .changed(2, ["daemon.graceMs"]);
    life.wait(300).tell("daemon.draining", { reason: "request", graceMs: 20_000, inFlight: 0 });
  },
);

judges("drain", "who is loaded for a message in one waits for its end", (life, isBroken) => {
  life
    .accept("m1")
    .started("m1")
    .tell("daemon.draining", { reason: "request", graceMs: 20_000, inFlight: 1 })
    .tell("session.loaded", { session: "b" })
    .tell("session.waiting", { session: "b", for: "drain", until: null });
  life.wait(isBroken ? 100 : 20_000).requeued("m1", "drain");
});

judges("drain", "who is loaded for a message in one may wait for something else", (life, isBroken) => {
  life
    .accept("m1")
    .started("m1")
    .tell("daemon.draining", { reason: "request", graceMs: 20_000, inFlight: 1 })
    .tell("session.loaded", { session: "b" })
    .tell("session.waiting", { session: "b", for: "key", until: null });
  life.wait(isBroken ? 100 : 20_000).requeued("m1", "drain");
});

judges("rest", "a turn has the time of the settings that were in force when it began", (life, isBroken) => {
  const edited = { ...settings, turn: { timeoutMs: 5000 } };
  const { iso } = life.wait(60_000).edit(edited);
  const revision = isBroken ? 2 : 1;
  // What is kept of a revision takes its time on a slow disk, and it bears the time of its edit.
  if (isBroken) life.changed(2, ["turn.timeoutMs"], "file", iso);
  life.wait(100).accept("m1").started("m1", 1, { revision }).call();
  if (!isBroken) life.wait(200).changed(2, ["turn.timeoutMs"], "file", iso);
  life.wait(7000);
  const messages = [message("m1", { status: "running" })];
  life.read({ messages, status: { ...readings(life.iso).status, revision: 2, hash: hashOf(edited) } });
});
