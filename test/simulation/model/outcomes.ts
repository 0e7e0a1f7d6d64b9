import type { FailureKind } from "../../../src/core/events.ts";
import type { ScriptedEnd } from "../history.ts";
import { type Call, quoted } from "./calls.ts";
import { numberOf } from "./document.ts";
import type { Turn } from "./inboxes.ts";
import type { Pair } from "./pairing.ts";
import type { Requests } from "./requests.ts";
import type { Revisions } from "./revisions.ts";
import { expect } from "./violation.ts";

/** Judges how a turn ended by how its call did (contract sections 1.3 and 4). */
export class Outcomes {
  readonly #revisions: Revisions;
  readonly #requests: Requests;
  readonly #mayFaultFrom: () => boolean;
  readonly #isDrainOver: (at: number) => boolean;

  constructor(parts: {
    revisions: Revisions;
    requests: Requests;
    hadStoreFault: () => boolean;
    /** Whether turns that ran at a moment had no grace left. */
    isDrainOver: (at: number) => boolean;
  }) {
    this.#revisions = parts.revisions;
    this.#requests = parts.requests;
    this.#mayFaultFrom = parts.hadStoreFault;
    this.#isDrainOver = parts.isDrainOver;
  }

  judge({ turn, call }: Pair): void {
    if (!call) return this.#expectNothingWithoutCall(turn);
    if (call.end) this.#expectEnd(turn, call, call.end);
    else if (call.abortedAt !== undefined) this.#expectReasonToAbort(turn, call, call.abortedAt);
    else if (call.lostAt === undefined)
      expect(
        turn.end?.kind === "cancelled",
        "exactly one outcome",
        () => `${nameOf(turn)} ended during its call`,
      );
  }

  /** Section 1.1: what is done was answered, what was refused was called. */
  #expectNothingWithoutCall(turn: Turn): void {
    const end = turn.end;
    if (!end || end.kind === "cancelled") return;
    const isPutBack = end.kind === "requeued" && (end.error === null || end.error === "interrupted");
    const isCrash = end.kind === "failed" && end.error === "interrupted";
    expect(
      isPutBack || isCrash,
      "exactly one outcome",
      () => `${nameOf(turn)} is ${end.kind} without a call`,
    );
  }

  /** Section 4: what the provider said is what is told of it. */
  #expectEnd(turn: Turn, call: Call, said: ScriptedEnd): void {
    const end = turn.end;
    // It ended, and the daemon was killed or the message cancelled before that was stored.
    if (!end || end.kind === "cancelled" || (end.kind === "requeued" && end.reason === "crash")) return;
    if (end.error === "interrupted") return;
    const isThrownAway = end.kind === "requeued" && end.error === null;
    if (isThrownAway) {
      const isSplit = turn.messages.some((message) => message.status === "cancelled");
      const isAllowed = isSplit || end.reason === "restart" || end.reason === "drain" || this.#mayFaultFrom();
      expect(
        isAllowed,
        "exactly one outcome",
        () => `${nameOf(turn)} was answered and put back (${end.reason})`,
      );
      return;
    }
    if (said.kind === "answered") {
      expect(
        end.kind === "done",
        "exactly one outcome",
        () => `${nameOf(turn)} was answered and is ${end.kind}`,
      );
      this.#expectUsage(turn, call, said);
      return;
    }
    expect(end.kind !== "done", "exactly one outcome", () => `${nameOf(turn)} is done, it was not answered`);
    const meant = failureOf(said);
    expect(
      end.error === meant,
      "attempts",
      () => `${nameOf(turn)} ended by ${meant} and is told as ${end.error}`,
    );
  }

  /** Section 4: as the provider reports it, else estimated, and marked so. */
  #expectUsage(turn: Turn, call: Call, said: Extract<ScriptedEnd, { kind: "answered" }>): void {
    if (turn.end?.kind !== "done" || !turn.end.usage) return;
    const { inputTokens, outputTokens, estimated } = turn.end.usage;
    const read = [call.system, ...call.turns.map((each) => each.content), call.content].map(bytesOf);
    const meant = said.usage ?? {
      inputTokens: Math.ceil(read.reduce((sum, bytes) => sum + bytes, 0) / 4),
      outputTokens: Math.ceil(bytesOf(said.reply) / 4),
      estimated: true,
    };
    const isSame =
      inputTokens === meant.inputTokens &&
      outputTokens === meant.outputTokens &&
      (estimated ?? false) === (meant.estimated ?? false);
    expect(
      isSame,
      "budget",
      () => `${nameOf(turn)} is told to have read ${inputTokens}, it was ${meant.inputTokens}`,
    );
  }

  /** Section 1.3: who ends a turn was asked to, or its time was over. */
  #expectReasonToAbort(turn: Turn, call: Call, abortedAt: number): void {
    const end = turn.end;
    if (!end || end.kind === "done") {
      expect(false, "never mid-turn", () => `${nameOf(turn)} was aborted and is done`);
      return;
    }
    if (end.kind === "cancelled") return this.#expectCancel(turn, call, abortedAt);
    if (end.kind === "requeued" && end.reason !== "retry") {
      if (end.reason === "restart") this.#expectRestart(turn, call, abortedAt);
      return;
    }
    if (end.error === "overloaded") return this.#expectTimeOver(turn, call, abortedAt);
    // Of a batch one was cancelled, and the others go on.
    const isSplit = turn.messages.some((message) => message.status === "cancelled");
    const isCrash = end.error === "interrupted";
    expect(
      isSplit || isCrash,
      "never mid-turn",
      () => `${nameOf(turn)} was aborted at ${abortedAt}: ${quoted(call.content)}`,
    );
  }

  #expectCancel(turn: Turn, call: Call, abortedAt: number): void {
    const isAsked =
      this.#wasCancelled(turn, call, abortedAt) ||
      this.#wasDeleted(turn, abortedAt) ||
      this.#cameWhileItSettled(turn, call, abortedAt) ||
      // Where the store fails the end of a turn may be stored late, or never: its session was deleted meanwhile.
      this.#mayFaultFrom();
    expect(isAsked, "never mid-turn", () => `${nameOf(turn)} was cancelled by nobody at ${abortedAt}`);
  }

  /** What ignores its abort is waited for a moment; who is cancelled or deleted then was aborted for another reason. */
  #cameWhileItSettled(turn: Turn, call: Call, abortedAt: number): boolean {
    const hadReason =
      this.#wasRestarted(turn, abortedAt) ||
      this.#isTimeOver(turn, call, abortedAt) ||
      this.#isDrainOver(abortedAt);
    const until = turn.end?.at ?? abortedAt;
    return hadReason && (this.#wasCancelled(turn, call, until) || this.#wasDeleted(turn, until));
  }

  #wasCancelled(turn: Turn, call: Call, until: number): boolean {
    return turn.messages.some(
      ({ id }) => this.#requests.between("POST", `/api/messages/${id}/cancel`, call.at, until).length > 0,
    );
  }

  #wasDeleted(turn: Turn, until: number): boolean {
    return this.#requests.between("DELETE", pathOf(turn), turn.startedAt, until).length > 0;
  }

  #wasRestarted(turn: Turn, until: number): boolean {
    const restarts = this.#requests.between("POST", `${pathOf(turn)}/restart`, turn.startedAt, until);
    return restarts.some(({ body }) => JSON.stringify(body ?? null).includes('"now"'));
  }

  #expectRestart(turn: Turn, call: Call, abortedAt: number): void {
    // A batch that ignores the abort for one that was cancelled may be told to restart while it is waited for.
    const isSettling = turn.messages.length > 1 && this.#wasCancelled(turn, call, abortedAt);
    const until = isSettling ? (turn.end?.at ?? abortedAt) : abortedAt;
    const isAsked =
      this.#wasRestarted(turn, until) || this.#wasDeleted(turn, abortedAt) || this.#mayFaultFrom();
    expect(isAsked, "never mid-turn", () => `${nameOf(turn)} was restarted by nobody at ${call.at}`);
  }

  #expectTimeOver(turn: Turn, call: Call, abortedAt: number): void {
    expect(
      this.#isTimeOver(turn, call, abortedAt),
      "never mid-turn",
      () => `${nameOf(turn)} was given up after ${abortedAt - call.activeAt} ms`,
    );
  }

  /** Section 2, `turn.timeoutMs` and `turn.maxDurationMs`: not before. */
  #isTimeOver(turn: Turn, call: Call, abortedAt: number): boolean {
    const documents = [
      ...this.#revisions.documentsOf(turn.revision),
      ...this.#revisions.between(turn.startedAt, turn.startedAt),
    ];
    const isOver = documents.some(
      (document) =>
        abortedAt - call.activeAt >= numberOf(document, "turn.timeoutMs") ||
        abortedAt - call.at >= numberOf(document, "turn.maxDurationMs"),
    );
    return isOver || documents.length === 0;
  }
}

function pathOf({ session }: Turn): string {
  return `/api/sessions/${encodeURIComponent(session)}`;
}

/** Section 4: what an end of a stream counts as. */
function failureOf(said: Exclude<ScriptedEnd, { kind: "answered" }>): FailureKind {
  switch (said.kind) {
    case "empty":
      return "empty_reply";
    case "cut":
      return "overloaded";
    case "refused":
      return said.failure;
  }
}

/** The first message of a turn, to be found again in a history. */
export function nameOf({ session, messages }: Turn): string {
  return `${session}/${messages.map((message) => message.seq).join("+")}`;
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}
