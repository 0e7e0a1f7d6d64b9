import { type Signal, useSignal } from "@preact/signals";
import { failureText } from "../live/live-copy.ts";

/** Something the user does that takes a moment and may be refused. */
export interface Action {
  isRunning: Signal<boolean>;
  /** Why the last one was refused; empty where it was not. */
  refusal: Signal<string>;
  /** Does it; one at a time. Whether it was done. */
  run: (act: () => Promise<unknown>) => Promise<boolean>;
}

/** An action of a view. */
export function useAction(): Action {
  const isRunning = useSignal(false);
  const refusal = useSignal("");
  const run = async (act: () => Promise<unknown>): Promise<boolean> => {
    if (isRunning.peek()) return false;
    isRunning.value = true;
    refusal.value = "";
    try {
      await act();
      return true;
    } catch (thrown) {
      refusal.value = failureText(thrown);
      return false;
    } finally {
      isRunning.value = false;
    }
  };
  return { isRunning, refusal, run };
}
