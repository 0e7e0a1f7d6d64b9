import type { Clock } from "../../core/clock.ts";
import type { LiveCopy } from "../live/live-copy.ts";

/** Asks for a copy again and again, for what no event tells of; the answer ends it. */
export function refreshedEach(clock: Clock, everyMs: number, copy: LiveCopy<unknown>): () => void {
  let cancel = (): void => {};
  const plan = (): void => {
    cancel = clock.after(everyMs, () => {
      copy.touch();
      plan();
    });
  };
  plan();
  return () => cancel();
}
