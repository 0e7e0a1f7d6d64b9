import { type ReadonlySignal, signal } from "@preact/signals";
import type { Cancel, Clock } from "../../core/clock.ts";

/** Who only looks away for less than this finds the page as lively as it was. */
const patienceMs = 20_000;

/** Whether the page can be seen, or could until a moment ago. */
export function followSight(document: Document, clock: Clock): ReadonlySignal<boolean> {
  const isSeen = signal(true);
  let cancel: Cancel = () => {};
  const look = (): void => {
    cancel();
    if (document.visibilityState === "visible") isSeen.value = true;
    else cancel = clock.after(patienceMs, () => (isSeen.value = false));
  };
  document.addEventListener("visibilitychange", look);
  look();
  return isSeen;
}
