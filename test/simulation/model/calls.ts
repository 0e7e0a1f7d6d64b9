import type { Document, ScriptedEnd, Seen } from "../history.ts";
import { providerEntry, providerNames } from "./document.ts";
import type { Judge } from "./judge.ts";
import type { Revisions } from "./revisions.ts";
import { expect } from "./violation.ts";

/** A call of a provider, as the provider sees it. */
export type Call = Extract<Seen, { kind: "call" }> & {
  /** When the provider last sent anything; the call itself before that. */
  activeAt: number;
  end: ScriptedEnd | undefined;
  endedAt: number | undefined;
  abortedAt: number | undefined;
  lostAt: number | undefined;
  /** It was aborted because it had said nothing for too long, or lasted too long. */
  isTimedOut: boolean;
  isPaired: boolean;
};

/** Section 3.4: so long an aborted turn may take to settle. */
const settleMs = 5000;

/** A limit is not exact to the millisecond of a clock that is looked at before and after a write. */
const slackMs = 1000;
/** A store that is slow or fails holds everything up, one write after the other. */
const slackOfFailingStoreMs = 10_000;

/** Follows the calls: one a session at a time, canaries, slots, the end of what is silent (sections 1, 2 and 3.5). */
export class Calls implements Judge {
  readonly #revisions: Revisions;
  readonly #calls = new Map<number, Call>();
  /** Those that the daemon has not let go of. */
  readonly #open = new Set<Call>();
  /** Those that were let go of and do not let go. */
  readonly #lingering = new Set<Call>();
  readonly #proven = new Set<string>();
  /** Turns that wait for the code of their provider, and have not called it yet. */
  #loading = 0;
  readonly #isStoreFailing: (at: number) => boolean;
  readonly #listener: (call: Call) => void;

  constructor(revisions: Revisions, isStoreFailing: (at: number) => boolean, listener: (call: Call) => void) {
    this.#revisions = revisions;
    this.#isStoreFailing = isStoreFailing;
    this.#listener = listener;
  }

  /** Those whose turns run, as far as can be told: one that was aborted runs until its provider has let go as well. */
  *running(at: number): Iterable<Call> {
    yield* this.#open;
    for (const call of this.#lingering) if (at - (call.abortedAt ?? at) <= settleMs) yield call;
  }

  /** A call that was seen. */
  find(call: number): Call | undefined {
    return this.#calls.get(call);
  }

  /** Whether a call under this endpoint, key and model was ever answered. */
  isProven(binding: string): boolean {
    return this.#proven.has(binding);
  }

  /** Whether any turn has begun of which no call can be seen yet. */
  get isAnyLoading(): boolean {
    return this.#loading > 0;
  }

  see(seen: Seen): void {
    switch (seen.kind) {
      case "boot":
        if (seen.phase === "asked") this.#loading = 0;
        return;
      case "fault":
        if (seen.fault === "code slow") this.#loading += seen.phase === "begins" ? 1 : -1;
        return;
      case "call":
        return this.#begun(seen);
      case "chunk":
        return this.#of(seen.call, (call) => {
          // What one says that ignores its abort nobody hears.
          if (call.abortedAt === undefined) call.activeAt = seen.at;
        });
      case "callEnded":
        return this.#of(seen.call, (call) => this.#ended(call, seen.end, seen.at));
      case "callAborted":
        return this.#of(seen.call, (call) => {
          call.abortedAt = seen.at;
          call.isTimedOut = this.#hasHadItsTime(call, seen.at);
          this.#open.delete(call);
          if (seen.ignoring) this.#lingering.add(call);
        });
      case "callLost":
        return this.#of(seen.call, (call) => {
          call.lostAt = seen.at;
          this.#open.delete(call);
          this.#lingering.delete(call);
        });
      case "stored":
        return this.#expectNotOverdue(seen.at);
      case "end":
      case "rest":
        return expect(
          this.#open.size === 0,
          "nothing leaks",
          () => `${this.#open.size} calls are open at ${seen.kind}`,
        );
      default:
    }
  }

  #begun(seen: Extract<Seen, { kind: "call" }>): void {
    for (const other of this.#open)
      expect(
        other.session !== seen.session,
        "one turn at a time",
        () =>
          `${seen.session} calls for ${quoted(seen.content)} while its call for ${quoted(other.content)} is open`,
      );
    this.#expectOneCanary(seen);
    this.#expectSlot(seen);
    const call: Call = {
      ...seen,
      activeAt: seen.at,
      end: undefined,
      endedAt: undefined,
      abortedAt: undefined,
      lostAt: undefined,
      isTimedOut: false,
      isPaired: false,
    };
    this.#calls.set(seen.call, call);
    this.#open.add(call);
    this.#listener(call);
  }

  #ended(call: Call, end: ScriptedEnd, at: number): void {
    this.#lingering.delete(call);
    if (call.abortedAt !== undefined || call.lostAt !== undefined) return;
    call.end = end;
    call.endedAt = at;
    this.#open.delete(call);
    if (end.kind === "answered") this.#proven.add(bindingName(call));
  }

  /** Section 3.5: until a binding is proven, one turn at a time runs under it. */
  #expectOneCanary(seen: Extract<Seen, { kind: "call" }>): void {
    const name = bindingName(seen);
    if (this.#proven.has(name)) return;
    for (const other of this.#open)
      expect(
        bindingName(other) !== name,
        "guard",
        () => `two canaries of ${name}: ${other.session}, ${seen.session}`,
      );
  }

  /** Section 2, `limits.turnsPerProvider`; names that share an endpoint have a limit each. */
  #expectSlot({ endpoint, at }: Extract<Seen, { kind: "call" }>): void {
    // A turn that was claimed before another revision was stored is called for after it: with a store that is slow, long.
    const from = this.#isStoreFailing(at) ? at - slackOfFailingStoreMs : at;
    const documents = this.#revisions.between(from, at);
    const limits = this.#revisions.numbersBetween("limits.turnsPerProvider", from, at);
    if (documents.length === 0) return;
    const names = Math.max(1, ...documents.map((document) => namesAt(document, endpoint)));
    const most = Math.max(...limits) * names;
    let count = 1;
    for (const other of this.#open) if (other.endpoint === endpoint) count += 1;
    expect(count <= most, "slots", () => `${count} turns at ${endpoint} at once, at most ${most} may be`);
  }

  /** Section 2, `turn.timeoutMs` and `turn.maxDurationMs`. */
  #expectNotOverdue(at: number): void {
    const slack = this.#isStoreFailing(at) ? slackOfFailingStoreMs : slackMs;
    for (const { session, content, activeAt, at: begunAt } of this.#open) {
      const silence = this.#revisions.numbersBetween("turn.timeoutMs", begunAt, begunAt);
      const longest = this.#revisions.numbersBetween("turn.maxDurationMs", begunAt, begunAt);
      if (silence.length === 0) continue;
      const isOverdue =
        at - activeAt > Math.max(...silence) + slack || at - begunAt > Math.max(...longest) + slack;
      expect(!isOverdue, "rest", () => `${session} still waits for ${quoted(content)}, called at ${begunAt}`);
    }
  }

  #hasHadItsTime({ activeAt, at: begunAt }: Call, at: number): boolean {
    const silence = this.#revisions.numbersBetween("turn.timeoutMs", begunAt, begunAt);
    const longest = this.#revisions.numbersBetween("turn.maxDurationMs", begunAt, begunAt);
    return at - activeAt >= Math.min(...silence) || at - begunAt >= Math.min(...longest);
  }

  #of(call: number, change: (call: Call) => void): void {
    const known = this.#calls.get(call);
    if (known) change(known);
  }
}

/** What the guard calls a binding. */
export function bindingName({
  endpoint,
  key,
  model,
}: {
  endpoint: string;
  key: string | null;
  model: string;
}): string {
  return `${endpoint} ${key ?? "-"} ${model}`;
}

function namesAt(document: Document, endpoint: string): number {
  return providerNames(document).filter((name) => providerEntry(document, name).endpoint === endpoint).length;
}

/** The beginning of a content, to be found again in a history. */
export function quoted(content: string): string {
  return JSON.stringify(content.length > 60 ? `${content.slice(0, 60)}…` : content);
}
