import * as fc from "fast-check";
import { SegueError } from "../../src/core/errors.ts";
import type { FailureKind } from "../../src/core/events.ts";
import { Promises, type Interference } from "./promises.ts";
import { type Document, Rig, first, second, third } from "./rig.ts";
import type { Answer, Call } from "./scripted-provider.ts";

/** One thing that happens to a daemon. */
export type Happening =
  | { kind: "post"; session: string; words: readonly string[] }
  | { kind: "edit"; change: Document }
  | { kind: "mood"; endpoint: string; refusal: FailureKind | "cut" | "empty" | null }
  | { kind: "cancel"; which: number }
  | { kind: "restart"; session: string; when: "now" | "boundary" }
  | { kind: "wish"; provider: string | null; model: string | null }
  | { kind: "delete"; session: string }
  | { kind: "release" }
  | { kind: "disk"; isFull: boolean }
  | { kind: "wait"; ms: number }
  | { kind: "turns"; count: number }
  | { kind: "crash" }
  | { kind: "stop"; graceMs: number };

/** Silence is left after this long, so that what hangs ends within a schedule. */
const timeoutMs = 20_000;
const sessions = ["a", "b", "c", "pinned"] as const;

const refusals = [
  null,
  null,
  "rate_limited",
  "unreachable",
  "overloaded",
  "auth",
  "not_found",
  "context_overflow",
  "invalid_request",
  "empty",
  "cut",
] as const;

const changes: readonly Document[] = [
  { provider: "first" },
  { provider: "second" },
  { provider: "third" },
  { providers: { first: { apiKey: "key-of-first" } } },
  { providers: { first: { apiKey: "wrong" } } },
  { providers: { first: { apiKey: "newer" } } },
  { providers: { first: { model: "one" } } },
  { providers: { first: { model: "unknown" } } },
  { providers: { second: { apiKey: "wrong" } } },
  { providers: { second: { apiKey: "key-of-second" } } },
  { fallback: [] },
  { fallback: ["third"] },
  { fallback: ["second", "first"] },
  { reload: { guard: "off" } },
  { reload: { guard: "any" } },
  { reload: { guard: "endpoint" } },
  { reload: { staggerMs: 0 } },
  { reload: { staggerMs: 5000 } },
  { turn: { mode: "batch" } },
  { turn: { mode: "single" } },
  { turn: { rolloverTokens: 15 } },
  { turn: { system: "Be brief." } },
  { sessions: { idleUnloadMs: 3000 } },
];

/** Everything is well again: what still stands in the way of a message goes. */
const calm: Document = {
  provider: "first",
  fallback: [],
  providers: { first: { apiKey: "key-of-first", model: "one" }, second: { apiKey: "key-of-second" } },
};

/** Writes that a full disk refuses; what is left out is looked at in other tests. */
const write =
  /^(messages\.(accept|claim|finish|putBack|resetAttempts|release|cancel)|sessions\.(create|patch|delete)|events\.append)$/;

const words = fc.array(fc.constantFrom("x", "x", "x", "hang", "long"), { minLength: 1, maxLength: 4 });
const session = fc.constantFrom(...sessions);

/** Anything that may happen, the ordinary more often. */
export const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("post" as const), session, words }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("edit" as const), change: fc.constantFrom(...changes) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("mood" as const),
      endpoint: fc.constantFrom(first, second, third),
      refusal: fc.constantFrom(...refusals),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("cancel" as const), which: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("restart" as const),
      session,
      when: fc.constantFrom("now" as const, "boundary" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("wish" as const),
      provider: fc.constantFrom(null, "second", "third", "gone"),
      model: fc.constantFrom(null, "unknown", "mine"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const), session }) },
  { weight: 1, arbitrary: fc.constant({ kind: "release" as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("disk" as const), isFull: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.constantFrom(1, 400, 1000, 3000, 10_000, 60_000),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant("turns" as const), count: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "crash" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("stop" as const), graceMs: fc.constantFrom(0, 500, 20_000) }),
  },
);

/** Runs a daemon through all that happens, and then through better days; throws where a promise was not kept. */
export async function live(happenings: readonly Happening[], random: () => number): Promise<void> {
  const rig = await Rig.start(
    { turn: { timeoutMs, retryMs: 1000, maxAttempts: 3 }, limits: { turnsPerProvider: 3 } },
    random,
  );
  const life = new Life(rig);
  for (const each of happenings) await life.take(each);
  await life.calmDown();
}

/** One daemon, and those who use it. */
class Life {
  readonly #rig: Rig;
  readonly #promises: Promises;
  readonly #interferences: Interference[] = [];
  readonly #moods = new Map<string, FailureKind | "cut" | "empty">();
  readonly #underWay = new Set<Promise<unknown>>();
  #isDiskFull = false;
  #broken: unknown;
  #nextWord = 1;

  constructor(rig: Rig) {
    this.#rig = rig;
    this.#promises = new Promises(rig);
    // Every other time the code of a vendor has to be loaded first.
    let created = 0;
    rig.provider.onCreate = async () => {
      if (created++ % 2 === 1) await this.#pass(2);
    };
    rig.before = (operation) =>
      this.#isDiskFull && write.test(operation)
        ? Promise.reject(new SegueError("storage_full", "there is no room"))
        : undefined;
    rig.provider.answer = (call) => {
      try {
        this.#promises.watch(call);
      } catch (thrown) {
        this.#broken ??= thrown;
      }
      return this.#answer(call);
    };
  }

  async take(happening: Happening): Promise<void> {
    const rig = this.#rig;
    switch (happening.kind) {
      case "post": {
        const contents = happening.words.map((word) => `${word}${this.#nextWord++};`);
        return this.#begin(() => rig.post(happening.session, ...contents));
      }
      case "edit":
        // One worker puts edits in force, one after the other.
        return void (await rig.edit(happening.change));
      case "mood":
        if (happening.refusal === null) this.#moods.delete(happening.endpoint);
        else this.#moods.set(happening.endpoint, happening.refusal);
        return;
      case "cancel": {
        const accepted = rig.told("message.accepted");
        const chosen = accepted[happening.which % Math.max(1, accepted.length)];
        if (chosen) this.#interfere(chosen.session, () => rig.registry.cancel(chosen.message));
        return;
      }
      case "restart": {
        const { session, when } = happening;
        return this.#interfere(when === "now" ? session : "", () => rig.registry.restart(session, when));
      }
      case "wish": {
        const { provider, model } = happening;
        return this.#begin(() =>
          rig.registry.patch("pinned", { overrides: { provider, model, mode: null } }),
        );
      }
      case "delete":
        return this.#interfere(happening.session, () => rig.registry.delete(happening.session));
      case "release":
        return rig.release();
      case "disk":
        this.#isDiskFull = happening.isFull;
        return;
      case "wait":
        return rig.clock.advance(happening.ms);
      case "turns":
        return this.#pass(happening.count);
      case "crash":
        await rig.crash();
        this.#underWay.clear();
        return rig.boot();
      case "stop": {
        const interference = this.#interference(undefined);
        this.#isDiskFull = false;
        await rig.stop(happening.graceMs);
        this.#expectNoBug();
        interference.to = rig.provider.order;
        return rig.boot();
      }
    }
    happening satisfies never;
  }

  /** Faults stop; everything ends, and was done as promised. */
  async calmDown(): Promise<void> {
    const rig = this.#rig;
    this.#moods.clear();
    this.#isDiskFull = false;
    // What is in flight was refused already, and says so only now.
    await rig.clock.advance(timeoutMs);
    const isThere = await rig.store.sessions.get("pinned");
    if (isThere)
      await rig.registry.patch("pinned", { overrides: { provider: null, model: null, mode: null } });
    await rig.edit(calm);
    rig.release();
    await Promise.all(this.#underWay);
    await rig.untilAllEnded();
    await rig.until("nobody is at work", () => [...rig.registry.loaded()].every((each) => !each.isAtWork));
    await rig.until("rollouts have ended", () => rig.registry.rollout?.state !== "running");
    this.#expectRest();
    await this.#promises.expectKept(this.#interferences, timeoutMs);
    if (this.#broken !== undefined) throw this.#broken;
    await rig.stop();
    this.#expectNoBug();
  }

  #expectRest(): void {
    const { gate, guard, registry } = this.#rig.core;
    if (gate.totalInFlight() > 0) throw new Error(`${gate.totalInFlight()} slots are not given back`);
    if ([...guard.holds()].length > 0) throw new Error("a binding is still held");
    for (const { id, state, pendingRestart, binding } of registry.loaded()) {
      if (state.kind !== "idle") throw new Error(`${id} is ${state.kind} and has nothing to do`);
      if (pendingRestart) throw new Error(`${id} still has to restart: ${pendingRestart.reason}`);
      if (binding.provider !== "first") throw new Error(`${id} is still under ${binding.provider}`);
    }
  }

  /** A full disk is no bug. */
  #expectNoBug(): void {
    const { faults } = this.#rig;
    const bugs = faults.splice(0).filter((fault) => !(fault instanceof SegueError));
    if (bugs.length > 0) throw new Error("a fault was reported", { cause: bugs[0] });
  }

  #answer({ config, content }: Call): Answer {
    if (content.includes("hang")) return { hangs: true };
    const mood = this.#moods.get(config.endpoint);
    const afterMs = content.includes("long") ? 7000 : 300;
    if (config.key === "wrong") return { afterMs: 50, refusal: { kind: "auth" } };
    if (config.model === "unknown") return { afterMs: 50, refusal: { kind: "not_found" } };
    if (mood === undefined) return { afterMs };
    if (mood === "cut") return { afterMs, cut: "half of" };
    if (mood === "empty") return { afterMs, reply: " " };
    return { afterMs: 50, refusal: { kind: mood } };
  }

  /** Lets so many turns of the event loop pass. */
  async #pass(count: number): Promise<void> {
    for (let turn = 0; turn < count; turn++)
      await new Promise<void>((resolve) => this.#rig.clock.defer(resolve));
  }

  /** Begins something that is not waited for; that it is refused is as good. */
  #begin(work: () => Promise<unknown>): void {
    const promise = work().then(
      () => {},
      () => {},
    );
    this.#underWay.add(promise);
    promise.then(
      () => this.#underWay.delete(promise),
      () => {},
    );
  }

  #interfere(session: string, work: () => Promise<unknown>): void {
    const interference = this.#interference(session);
    this.#begin(async () => {
      try {
        await work();
      } finally {
        interference.to = this.#rig.provider.order;
      }
    });
  }

  #interference(session: string | undefined): Interference {
    const interference = { session, from: this.#rig.provider.order, to: Infinity };
    this.#interferences.push(interference);
    return interference;
  }
}
