import { type Call, bindingName } from "./calls.ts";
import { numberOf, textOf } from "./document.ts";
import type { Turn } from "./inboxes.ts";
import type { StoredEvent } from "./judge.ts";
import { nameOf } from "./outcomes.ts";
import type { Pair } from "./pairing.ts";
import type { Requests } from "./requests.ts";
import type { Revisions } from "./revisions.ts";
import { type Span, type Spans, isInScope, overlap } from "./spans.ts";
import { expect } from "./violation.ts";

const dayMs = 86_400_000;
/** Section 4: what only a hand can mend is tried this often. */
const handMendedMs = 15 * 60_000;

/** Judges what turns had to wait for: retries, parks, holds, the day's tokens (sections 2, 3.5 and 4). */
export class Waits {
  readonly #revisions: Revisions;
  readonly #requests: Requests;
  readonly #spans: Spans;
  /** Whose turn went first in a park that is over. */
  readonly #probes = new Map<Span, Call>();
  readonly #usedOnDay = new Map<number, { at: number; tokens: number }[]>();

  readonly #isProven: (binding: string) => boolean;
  readonly #hadStoreFault: () => boolean;
  readonly #wasStoreFailing: (from: number, to: number) => boolean;

  constructor(parts: {
    revisions: Revisions;
    requests: Requests;
    spans: Spans;
    /** Whether a binding was ever answered. */
    isProven: (binding: string) => boolean;
    hadStoreFault: () => boolean;
    wasStoreFailing: (from: number, to: number) => boolean;
  }) {
    this.#wasStoreFailing = parts.wasStoreFailing;
    this.#hadStoreFault = parts.hadStoreFault;
    this.#isProven = parts.isProven;
    this.#revisions = parts.revisions;
    this.#requests = parts.requests;
    this.#spans = parts.spans;
  }

  /** What ended turns have used on the UTC day of a moment. */
  usedOnDayOf(at: number): number {
    return (this.#usedOnDay.get(Math.floor(at / dayMs)) ?? []).reduce((sum, { tokens }) => sum + tokens, 0);
  }

  /** Takes the next stored event. */
  event(event: StoredEvent): void {
    if (event.type === "message.done" && event.data.usage) {
      const day = Math.floor(event.at / dayMs);
      const tokens = event.data.usage.inputTokens + event.data.usage.outputTokens;
      this.#usedOnDay.set(day, [...(this.#usedOnDay.get(day) ?? []), { at: event.at, tokens }]);
    }
    const span = this.#spans.event(event);
    if (span?.kind === "park") this.#expectLength(span);
  }

  /** A turn was started. */
  started(turn: Turn): void {
    const { notBefore, startedAt } = turn;
    const isTime = notBefore === null || startedAt >= notBefore;
    expect(
      isTime,
      "attempts",
      () => `${nameOf(turn)} was started ${(notBefore ?? 0) - startedAt} ms before its time`,
    );
    this.#expectBudget(turn);
  }

  /** A turn is over, and its call says exactly where it went. */
  judge({ turn, call }: Pair): void {
    if (call?.end?.kind === "refused") this.#expectHeld(turn, call);
    if (!call) return;
    for (const span of this.#spans.at(turn.id)) {
      if (!isInScope(span, call) || turn.startedAt <= span.from) continue;
      if (this.#requests.between("POST", "/api/settings/release", span.from, turn.startedAt).length > 0)
        continue;
      if (this.#mayBeReleased(span, turn)) continue;
      if (span.kind === "park") this.#expectPark(span, turn, call);
      else this.#expectHold(span, turn);
    }
  }

  /** Section 4: nobody inside the scope before its time, at its end one turn first. */
  #expectPark(span: Span, turn: Turn, call: Call): void {
    const isTime = span.until === null || turn.startedAt >= span.until;
    expect(
      isTime,
      "parks",
      () => `${nameOf(turn)} went to ${span.endpoint}, parked (${span.reason}) until ${span.until}`,
    );
    const probe = this.#probes.get(span);
    // Where the store fails the event of the park's end is one of the things that are lost.
    if (this.#hadStoreFault() && this.#spans.wasOpened(span, call.at)) return;
    const isAlone = !probe || !overlap(probe, call);
    expect(
      isAlone,
      "parks",
      () => `${nameOf(turn)} went to ${span.endpoint} beside the turn that went first`,
    );
    this.#probes.set(span, call);
  }

  /** Section 3.5: who is held for a key or a model is not called before a hand has mended it. */
  #expectHold(span: Span, turn: Turn): void {
    const isTried = span.reason === "unreachable";
    expect(isTried, "guard", () => `${nameOf(turn)} went to ${span.endpoint}, held for ${span.reason}`);
  }

  /**
   * Sections 3.5 and 4: a hold, and a park for a key or a model, end with another value, or when nobody wants what they
   * are about, and a park whose time is up may; where the store fails the event of that may be lost.
   */
  #mayBeReleased({ kind, reason, from, until }: Span, { startedAt }: Turn): boolean {
    const isByHand = kind === "hold" || reason === "auth" || reason === "not_found";
    if (isByHand && this.#wasStoreFailing(from, startedAt)) return true;
    const isUp = until !== null && startedAt >= until;
    return (isByHand || isUp) && this.#hadStoreFault() && this.#revisions.between(from, startedAt).length > 1;
  }

  /** Section 3.5: a canary that is refused so holds its binding; its message goes back uncounted. */
  #expectHeld(turn: Turn, call: Call): void {
    const end = turn.end;
    const refusal = call.end?.kind === "refused" ? call.end.failure : undefined;
    const isVerdict = refusal === "auth" || refusal === "not_found" || refusal === "unreachable";
    if (!isVerdict || end?.kind !== "requeued" || end.reason === "crash" || end.error === null) return;
    const modes = this.#revisions
      .between(call.endedAt ?? end.at, end.at)
      .map((document) => textOf(document, "reload.guard", "endpoint"));
    if (modes.length === 0) return;
    if (end.reason === "held") {
      expect(
        modes.some((mode) => mode !== "off"),
        "guard",
        () => `${nameOf(turn)} was held with the guard off`,
      );
      return;
    }
    const mayPark = this.#isProven(bindingName(call)) || modes.includes("off");
    expect(mayPark, "guard", () => `${nameOf(turn)}, a canary, ended in ${refusal} and holds nothing`);
  }

  /** Section 4: for Retry-After, else with backoff; for a key or a model a quarter of an hour. */
  #expectLength(span: Span): void {
    const lengthMs = (span.until ?? span.from) - span.from;
    if (span.reason === "auth" || span.reason === "not_found") {
      expect(
        lengthMs === handMendedMs,
        "parks",
        () => `${span.endpoint} is parked for ${span.reason} ${lengthMs} ms`,
      );
      return;
    }
    const waits = this.#revisions.numbersBetween("turn.retryMs", span.from, span.from);
    const { askedMs: asked } = span;
    if (asked === undefined) return;
    const shortest = asked > 0 ? asked : Math.min(300_000, ...waits) * 0.8 - 1;
    const longest = asked > 0 ? Math.max(asked, 20) : 300_000 * 1.2 + 1;
    const fits = lengthMs >= shortest && lengthMs <= longest;
    expect(
      fits || waits.length === 0,
      "parks",
      () => `${span.endpoint} is parked for ${span.reason} ${lengthMs} ms`,
    );
  }

  /** Section 2, `limits.tokensPerDay`: no turn starts once they are used up. */
  #expectBudget(turn: Turn): void {
    const { startedAt } = turn;
    const limits = this.#revisions
      .between(startedAt, startedAt)
      .map((document) => numberOf(document, "limits.tokensPerDay"));
    if (limits.length === 0 || limits.includes(0)) return;
    const used = (this.#usedOnDay.get(Math.floor(startedAt / dayMs)) ?? [])
      .filter(({ at }) => at < startedAt)
      .reduce((sum, { tokens }) => sum + tokens, 0);
    expect(
      used < Math.max(...limits),
      "budget",
      () => `${nameOf(turn)} was started with ${used} tokens used of ${Math.max(...limits)}`,
    );
  }
}
