import type { Random } from "../core/ids.ts";

/** No wait is longer than this, however often something failed (contract section 2, `turn.retryMs`). */
const longestWaitMs = 5 * 60_000;
/** Nor is one shorter (milliseconds): `turn.retryMs` may be 0, and a provider that refuses at once must not be called in a circle. */
export const shortestWaitMs = 20;

/**
 * The wait after the `step`-th failure in a row (0 for the first): `firstMs`, each next four times as long, at
 * most five minutes, all with ±20 % of chance so that those who failed together do not come back together.
 */
export function backoffMs(step: number, firstMs: number, random: Random): number {
  const ms = Math.min(firstMs * 4 ** Math.min(step, 20), longestWaitMs);
  return Math.max(shortestWaitMs, Math.round(ms * (0.8 + 0.4 * random())));
}
