import type { FailureKind, Usage } from "../../../src/core/events.ts";
import type { Message } from "./inboxes.ts";
import type { Revisions } from "./revisions.ts";
import { expect } from "./violation.ts";

/** How a turn ended for a message. */
export type TurnEnd =
  | { kind: "done"; at: number; usage: Usage | null; error?: undefined }
  | { kind: "cancelled"; at: number; error?: undefined }
  | { kind: "failed"; at: number; error: FailureKind }
  | {
      kind: "requeued";
      at: number;
      error: FailureKind | null;
      reason: "drain" | "crash" | "restart" | "held" | "retry" | "daemon_restart";
    };

/** Section 4: what counts as an attempt whether it is the last or not. */
const counted: ReadonlySet<FailureKind> = new Set(["overloaded", "empty_reply", "interrupted"]);

/** Section 4: a message's attempts rise by one with each that counts, and go back to none with another binding. */
export function expectAttempt(message: Message, told: number): void {
  if (message.mayBeReset && told === 1) message.attempts = 0;
  message.mayBeReset = false;
  const { session, seq, attempts } = message;
  expect(
    told === attempts + 1,
    "attempts",
    () => `${session}/${seq} is at attempt ${told}, ${attempts} have counted`,
  );
}

/** Section 4: whether the attempt that ended so counts. */
export function countAttempt(message: Message, end: TurnEnd): boolean {
  if (end.kind !== "requeued") return false;
  const isAlone = (message.turn?.messages.length ?? 1) === 1;
  if (end.reason === "crash") {
    message.crashes += 1;
    return message.crashes > 1 && isAlone;
  }
  if (end.reason !== "retry" || end.error === null) return false;
  return counted.has(end.error) && (isAlone || end.error !== "empty_reply");
}

/** Section 4: what fails at once fails at once, what counts fails at the last attempt, and nothing else fails. */
export function expectMayFail(
  message: Message,
  error: FailureKind,
  revisions: Revisions,
  { at, mayBeLate }: { at: number; mayBeLate: boolean },
): void {
  const name = `${message.session}/${message.seq}`;
  const isAlone = (message.turn?.messages.length ?? 1) === 1;
  if (error === "invalid_request" || error === "context_overflow") {
    expect(isAlone, "attempts", () => `${name} failed by ${error} in a batch`);
    const mayFail = error === "invalid_request" || message.hasOverflowed;
    expect(mayFail, "attempts", () => `${name} failed by ${error} without a fresh context of its own`);
    return;
  }
  expect(counted.has(error), "attempts", () => `${name} failed by ${error}, which fails no message`);
  const most = revisions.numbersBetween("turn.maxAttempts", mayBeLate ? 0 : at, at);
  // A batch ends together, when its last attempt is any message's.
  const attempts = Math.max(message.attempts + 1, message.turn?.attempt ?? 0);
  const isLast = most.length === 0 || most.some((maximum) => attempts >= maximum);
  expect(isLast, "attempts", () => `${name} failed at attempt ${attempts} of ${most.join(" or ")}`);
}

/** Section 4: with the last counted attempt a message has failed. */
export function expectMayGoOn(
  message: Message,
  revisions: Revisions,
  { at, mayBeLate }: { at: number; mayBeLate: boolean },
): void {
  const most = revisions.numbersBetween("turn.maxAttempts", mayBeLate ? 0 : at, at);
  const { session, seq } = message;
  const attempts = Math.max(message.attempts, message.turn?.attempt ?? 0);
  const isUnderWay = most.length === 0 || most.some((maximum) => attempts < maximum);
  expect(isUnderWay, "attempts", () => `${session}/${seq} goes on after ${attempts} counted attempts`);
}

/** Section 2, `turn.retryMs`: the first wait, each next four times as long, at most 5 min, ±20 %; a batch waits together. */
export function expectBackoff(
  { session, seq, retryAt }: Message,
  { attempts, at, mayBeLate }: { attempts: number; at: number; mayBeLate: boolean },
  revisions: Revisions,
): void {
  const waits = revisions.numbersBetween("turn.retryMs", mayBeLate ? 0 : at, at);
  const waitMs = (retryAt ?? at) - at;
  const fits = (first: number): boolean => {
    const meant = Math.min(first * 4 ** (attempts - 1), 300_000);
    // Nobody calls in a circle: a wait of nothing is made a short one.
    const isLongEnough = waitMs >= meant * 0.8 - 1 || mayBeLate;
    return (isLongEnough && waitMs <= meant * 1.2 + 1) || (meant <= 25 && waitMs <= 30);
  };
  const isFit = waits.length === 0 || waits.some(fits);
  expect(isFit, "attempts", () => `${session}/${seq} waits ${waitMs} ms after ${attempts} attempts`);
}
