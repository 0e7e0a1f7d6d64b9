import type { Document } from "../history.ts";
import { type Call, type Calls, bindingName } from "./calls.ts";
import {
  type Destination,
  type Wishes,
  destinationOf,
  fallbackOf,
  numberOf,
  providerEntry,
  textOf,
} from "./document.ts";
import type { Turn } from "./inboxes.ts";
import { nameOf } from "./outcomes.ts";
import type { Pair } from "./pairing.ts";
import type { Requests } from "./requests.ts";
import type { Revisions } from "./revisions.ts";
import type { Span, Spans } from "./spans.ts";
import { expect } from "./violation.ts";

/** Judges under what a turn ran: the newest settings, a fallback, or what it went back to (sections 1.4 and 3.5). */
export class Destinations {
  readonly #revisions: Revisions;
  readonly #requests: Requests;
  readonly #spans: Spans;
  readonly #calls: Calls;
  readonly #hadStoreFault: () => boolean;

  constructor(parts: {
    revisions: Revisions;
    requests: Requests;
    spans: Spans;
    calls: Calls;
    hadStoreFault: () => boolean;
  }) {
    this.#revisions = parts.revisions;
    this.#requests = parts.requests;
    this.#spans = parts.spans;
    this.#calls = parts.calls;
    this.#hadStoreFault = parts.hadStoreFault;
  }

  /** Section 1.4: under the newest revision, or while what it wants is held under an older one. */
  started(turn: Turn): void {
    const { revision, newest, startedAt } = turn;
    const isHeld = [...this.#spans.during(startedAt)].some((span) => span.kind === "hold");
    expect(
      revision >= newest || isHeld,
      "fresh",
      () => `${nameOf(turn)} was started under revision ${revision} while ${newest} was in force`,
    );
    this.#expectBatch(turn);
  }

  /** A turn is over, and its call says exactly where it went. */
  judge({ turn, call }: Pair): void {
    const documents = this.#revisions.documentsOf(turn.newest);
    const wishes = this.#requests.wishesBetween(turn.session, turn.startedAt, turn.startedAt);
    if (!call || documents.length === 0 || !wishes) return;
    expect(
      call.model === turn.model,
      "fresh",
      () => `${nameOf(turn)} called ${call.model}, told was ${turn.model}`,
    );
    const ways = documents.flatMap((document) => wishes.map((wish) => ({ document, wish })));
    const refusals = ways.map(({ document, wish }) => this.#refusal(turn, call, document, wish));
    const isFine = refusals.includes(undefined);
    expect(isFine, refusals.some((each) => each?.isGuard === true) ? "guard" : "fresh", () => {
      const why = refusals.map((each) => each?.why).join(" or ");
      return `${nameOf(turn)} went to ${turn.provider} ${bindingName(call)}: ${why}`;
    });
  }

  /** Why a turn may not go where it went, by one state of the settings; undefined where it may. */
  #refusal(
    turn: Turn,
    call: Call,
    document: Document,
    wish: Wishes,
  ): { why: string; isGuard?: boolean } | undefined {
    const wanted = destinationOf(document, wish);
    if (turn.provider === wanted.provider && isThere(call, wanted)) return undefined;
    const kept = [...this.#spans.during(turn.startedAt)].filter((span) => isKeptFrom(wanted, span));
    const isFallback = turn.provider !== wanted.provider && fallbackOf(document).includes(turn.provider);
    if (isFallback && isThere(call, providerEntry(document, turn.provider))) {
      // Where the store fails the event of a park is one of the things that are lost.
      const mayBeKept = this.#hadStoreFault() && this.#spans.wasRefused(wanted.endpoint, turn.startedAt);
      return kept.length > 0 || mayBeKept ? undefined : { why: `${wanted.provider} is not parked` };
    }
    if (!kept.some((span) => span.kind === "hold"))
      return { why: `revision ${turn.newest} wants ${wanted.provider} ${wanted.endpoint} ${wanted.model}` };
    return this.#refusalToGoBack(turn, call, document, wanted);
  }

  /** Section 3.5: back to a proven binding, `endpoint` to one at the same endpoint. */
  #refusalToGoBack(
    turn: Turn,
    call: Call,
    document: Document,
    wanted: Destination,
  ): { why: string; isGuard: boolean } | undefined {
    if (!this.#calls.isProven(bindingName(call)))
      return { why: "it was never answered there", isGuard: true };
    const { startedAt } = turn;
    const modes = [document, ...this.#revisions.between(startedAt, startedAt)].map((each) =>
      textOf(each, "reload.guard", "endpoint"),
    );
    if (modes.includes("any")) return undefined;
    if (!modes.includes("endpoint")) return { why: "the guard is off", isGuard: true };
    return wanted.endpoint === undefined || wanted.endpoint === call.endpoint
      ? undefined
      : { why: `it went back to another endpoint than ${wanted.endpoint}`, isGuard: true };
  }

  /** Section 2, `turn.mode` and `turn.batchMax`. */
  #expectBatch(turn: Turn): void {
    const { session, messages, startedAt, newest, revision } = turn;
    const documents = [
      ...this.#revisions.documentsOf(newest),
      ...this.#revisions.documentsOf(revision),
      ...this.#revisions.between(startedAt, startedAt),
    ];
    const wishes = this.#requests.wishesBetween(session, startedAt, startedAt);
    if (messages.length === 1 || documents.length === 0 || !wishes) return;
    const mayBe = documents.some((document) => {
      const most = numberOf(document, "turn.batchMax");
      return (
        (most === 0 || messages.length <= most) &&
        wishes.some(({ mode }) => (mode ?? textOf(document, "turn.mode", "single")) === "batch")
      );
    });
    expect(mayBe, "one turn at a time", () => `${nameOf(turn)} are one turn`);
  }
}

function isThere(call: Call, { endpoint, key, model }: Destination): boolean {
  return (
    (endpoint === undefined || endpoint === call.endpoint) &&
    (key === undefined || key === call.key) &&
    (model === undefined || model === call.model)
  );
}

function isKeptFrom({ endpoint, model }: Destination, span: Span): boolean {
  return (
    (endpoint === undefined || span.endpoint === endpoint) &&
    (span.model === null || model === undefined || span.model === model)
  );
}
