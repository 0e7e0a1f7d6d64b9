import type { BlockedBy, RestartReason } from "../../core/events.ts";
import type { SettingsStatus, ShownSession } from "../link/answers.ts";
import { blockWords, reasonWords, restartWords } from "../words/state-words.ts";

/** What is in force, as far as it says where sessions belong. */
export interface InForce {
  /** The provider that is chosen. */
  provider: string;
  held: SettingsStatus["held"];
}

/**
 * Where a session stands to the provider in force.
 *
 * - `there`: it is on it.
 * - `unloaded`: it has no binding; it takes the newest when it is loaded.
 * - `moving`: it belongs elsewhere and goes there at its boundary.
 * - `pinned`: it was given a provider of its own.
 * - `back`: the binding it wants is held; it runs under the last one that worked.
 */
export type Whereabouts =
  | { kind: "there" }
  | { kind: "unloaded" }
  | { kind: "moving"; reason: RestartReason; blockedBy: BlockedBy }
  | { kind: "pinned" }
  | { kind: "back"; reason: string };

/** Where a session stands, from what is shown of it. */
export function whereaboutsOf(session: ShownSession, { provider, held }: InForce): Whereabouts {
  const { pendingRestart, overrides } = session;
  if (session.state === "unloaded") return { kind: "unloaded" };
  if (pendingRestart) return { kind: "moving", ...pendingRestart };
  const wanted = overrides.provider ?? provider;
  if (session.provider !== wanted) {
    const hold = held.find((one) => one.provider === wanted);
    return { kind: "back", reason: hold?.reason ?? "held" };
  }
  return wanted === provider ? { kind: "there" } : { kind: "pinned" };
}

/** Why a session is not on the provider in force, in words; undefined where it is, or has none. */
export function whyElsewhere(whereabouts: Whereabouts): string | undefined {
  switch (whereabouts.kind) {
    case "there":
    case "unloaded":
      return undefined;
    case "moving":
      return `Moves: ${restartWords[whereabouts.reason]}; ${blockWords[whereabouts.blockedBy]}`;
    case "pinned":
      return "Pinned to its own provider";
    case "back":
      return `Went back: ${reasonWords(whereabouts.reason)}`;
  }
}
