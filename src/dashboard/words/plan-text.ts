import type { Plan } from "../../core/events.ts";
import { countText, thingsText } from "./count-text.ts";

/** What an edit would do, in a sentence: `3 sessions now, 2 at their boundary, 40 unaffected, the daemon restarts`. */
export function planText(plan: Plan): string {
  if (plan.changedKeys.length === 0) return "Nothing changes.";
  const { now, atBoundary, unaffected } = plan.sessions;
  const parts = [
    `${thingsText(now, "session")} now`,
    `${countText(atBoundary)} at ${atBoundary === 1 ? "its" : "their"} boundary`,
    `${countText(unaffected)} unaffected`,
  ];
  if (plan.restart.length > 0) parts.push("the daemon restarts");
  return `${parts.join(", ")}.`;
}

/** When a change of a key of this class takes effect, in words. */
export function classText(name: string): string {
  if (name === "restart") return "restarts the daemon";
  return name === "turn" ? "from each session's next turn" : "at once";
}
