import type { ContextTurn } from "../providers/provider.ts";
import type { Exchange } from "../store/turns.ts";

/** A session's present context as a provider gets it, oldest first. */
export function contextTurns(exchanges: readonly Exchange[]): ContextTurn[] {
  return exchanges.flatMap(({ note, content, reply }): ContextTurn[] => [
    ...noteTurns(note),
    { role: "user", content },
    { role: "assistant", content: reply },
  ]);
}

/**
 * A note of the daemon as part of a context. As words of the user's: no vendor takes a system prompt in the middle,
 * and all take two such turns in a row. Not joined to the message: that would be answered as if the user had said it.
 */
export function noteTurns(note: string | null): ContextTurn[] {
  return note === null ? [] : [{ role: "user", content: note }];
}

/**
 * Whether the next turn starts a fresh context: this one read more than `rolloverTokens` (0: never). Comparing
 * with what was read, not with what was sent, is what keeps one rollover from causing the next.
 */
export function isDueToRollOver(inputTokens: number, rolloverTokens: number): boolean {
  return rolloverTokens > 0 && inputTokens > rolloverTokens;
}

/**
 * The first `seq` of the fresh context: the latest `keep` exchanges go along as long as together they stay under
 * half of `rolloverTokens` (estimated, as in contract section 4); with none, `after` itself.
 */
export function freshContextFrom(
  exchanges: readonly Exchange[],
  after: number,
  keep: number,
  rolloverTokens: number,
): number {
  let from = after;
  let tokens = 0;
  const latest = keep === 0 ? [] : exchanges.slice(-keep);
  for (const exchange of latest.toReversed()) {
    tokens += Math.ceil((Buffer.byteLength(exchange.content) + Buffer.byteLength(exchange.reply)) / 4);
    if (tokens >= rolloverTokens / 2) break;
    from = exchange.seq;
  }
  return from;
}
