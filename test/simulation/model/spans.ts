import type { FailureKind } from "../../../src/core/events.ts";
import type { Call } from "./calls.ts";
import type { StoredEvent } from "./judge.ts";

/** Something that keeps turns back: a park or a hold, from the event that told of it to the one that ended it. */
export interface Span {
  kind: "park" | "hold";
  endpoint: string;
  /** Null: all models. */
  model: string | null;
  reason: FailureKind;
  /** Keys it may be about: those of the calls that were refused there just before. */
  keys: ReadonlySet<string | null>;
  /** How long the provider asked to be left alone; 0 where it did not, undefined where several were refused at once. */
  askedMs: number | undefined;
  from: number;
  fromId: number;
  /** Parks: until when; null for holds. */
  until: number | null;
  toId: number;
  to: number;
}

/** Every park and hold that was told. */
export class Spans {
  readonly #spans: Span[] = [];
  readonly #refused: Call[] = [];
  readonly #ended: Call[] = [];

  /** A call has ended, by itself or because it had had its time. */
  ended(call: Call): void {
    this.#ended.push(call);
    if (call.end?.kind === "refused") this.#refused.push(call);
  }

  /** Takes the next stored event; the answer is what began with it. */
  event(event: StoredEvent): Span | undefined {
    switch (event.type) {
      case "provider.parked": {
        const { endpoint, model, reason, until } = event.data;
        return this.#begin(event, { kind: "park", endpoint, model, reason, until: Date.parse(until) });
      }
      case "settings.held": {
        const { endpoint, model, reason } = event.data;
        return this.#begin(event, { kind: "hold", endpoint, model, reason, until: null });
      }
      case "provider.ready":
        this.#end(event, "park", event.data);
        return undefined;
      case "settings.released":
        this.#end(event, "hold", event.data);
        return undefined;
      default:
        return undefined;
    }
  }

  /** A call was refused so that its binding may be held, and the store may keep no event of that. */
  mayHold({ endpoint, model, key }: Call, at: number): void {
    const scope = { kind: "hold" as const, endpoint, model };
    // 1. One that was told may have ended before, which is read later.
    const isKnown = this.#spans.some(
      (span) => span.fromId === 0 && span.toId === Infinity && isSameScope(span, scope),
    );
    if (isKnown) return;
    const times = { from: at, fromId: 0, until: null, toId: Infinity, to: Infinity };
    this.#spans.push({ ...scope, reason: "unreachable", keys: new Set([key]), askedMs: 0, ...times });
  }

  /** Whether a call that began after the time of a park ended before a moment, and not as it did: that ends it, told or not. */
  wasOpened(span: Span, at: number): boolean {
    return this.#ended.some(
      (call) =>
        isInScope(span, call) &&
        call.at >= (span.until ?? Infinity) &&
        (call.endedAt ?? call.abortedAt ?? Infinity) <= at &&
        !(call.end?.kind === "refused" && call.end.failure === span.reason),
    );
  }

  /** Whether a call to an endpoint was refused before a moment: whatever was parked for it may have been told by nothing. */
  wasRefused(endpoint: string | undefined, at: number): boolean {
    return this.#refused.some((call) => call.endpoint === endpoint && (call.endedAt ?? Infinity) <= at);
  }

  /** Those in force at the moment of a stored event. */
  *at(id: number): Iterable<Span> {
    for (let index = this.#spans.length - 1; index >= 0; index--) {
      const span = this.#spans[index];
      if (span && span.fromId < id && span.toId > id) yield span;
    }
  }

  /** Those in force at a moment, its ends included. */
  *during(at: number): Iterable<Span> {
    for (const span of this.#spans) if (span.from <= at && span.to >= at) yield span;
  }

  #begin(event: StoredEvent, span: Pick<Span, "kind" | "endpoint" | "model" | "reason" | "until">): Span {
    const calls = this.#refused.filter(
      ({ end, endpoint, model, endedAt = 0 }) =>
        end?.kind === "refused" &&
        end.failure === span.reason &&
        endpoint === span.endpoint &&
        (span.model === null || model === span.model) &&
        endedAt <= event.at,
    );
    const latest = calls.at(-1)?.endedAt;
    const keys = new Set(calls.filter((call) => call.endedAt === latest).map((call) => call.key));
    const asked = new Set(
      calls
        .filter((call) => call.endedAt === latest)
        .map(({ end }) => (end?.kind === "refused" ? end.retryAfterMs : 0) ?? 0),
    );
    const [askedMs] = asked.size === 1 ? asked : [];
    for (const before of this.#spans)
      if (
        before.toId === Infinity &&
        isSameScope(before, span) &&
        [...keys].some((key) => before.keys.has(key))
      )
        close(before, event);
    const begun = { ...span, keys, askedMs, from: event.at, fromId: event.id, toId: Infinity, to: Infinity };
    this.#spans.push(begun);
    return begun;
  }

  #end(event: StoredEvent, kind: Span["kind"], scope: { endpoint: string; model: string | null }): void {
    const ofScope = this.#spans.filter(
      (span) => isSameScope(span, { ...scope, kind }) && span.from <= event.at,
    );
    const keys = new Set(ofScope.flatMap((span) => [...span.keys]));
    for (const span of ofScope)
      if (span.toId === Infinity) {
        close(span, event);
        // 1. Which key it is about is not told: that of another may still be kept back, and be a reason to go elsewhere.
        if (keys.size > 1) span.to = Infinity;
      }
  }
}

/** Whether a call lies in the scope of a span, as far as that can be told. */
export function isInScope({ endpoint, model, keys }: Span, call: Call): boolean {
  const isOnly = keys.size === 1 && keys.has(call.key);
  return isOnly && call.endpoint === endpoint && (model === null || model === call.model);
}

/** Whether two calls ran at the same time. */
export function overlap(one: Call, other: Call): boolean {
  return one.at < overAt(other) && other.at < overAt(one);
}

function overAt({ endedAt, abortedAt, lostAt }: Call): number {
  return endedAt ?? abortedAt ?? lostAt ?? Infinity;
}

function isSameScope(
  one: Pick<Span, "kind" | "endpoint" | "model">,
  other: Pick<Span, "kind" | "endpoint" | "model">,
): boolean {
  return one.kind === other.kind && one.endpoint === other.endpoint && one.model === other.model;
}

function close(span: Span, { id, at }: StoredEvent): void {
  span.toId = id;
  span.to = at;
}
