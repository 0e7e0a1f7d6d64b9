import type { WaitReason } from "../core/events.ts";
import type { Candidate } from "./candidate.ts";
import type { Guard } from "./guard.ts";
import type { Park, Parks } from "./parks.ts";

/** Whether a turn may start: under which candidate, and which parks it is the first to try; or what it waits for. */
export type Admission =
  | { kind: "go"; candidate: Candidate; probes: readonly Park[] }
  | { kind: "wait"; reason: WaitReason; until: number | null };

/** What it goes by, as it is at `now`. */
export interface Circumstances {
  now: number;
  guard: Pick<Guard, "holdOver" | "hasCanary" | "isProven">;
  parks: Pick<Parks, "over" | "isProbed">;
  hasSlot: (provider: string) => boolean;
}

/** The first candidate that may go; where none may, what the first of them waits for. */
export function admissionOf(
  candidates: readonly [Candidate, ...Candidate[]],
  circumstances: Circumstances,
): Admission {
  let wait: Admission | undefined;
  for (const candidate of candidates) {
    const admission = admissionOfOne(candidate, circumstances);
    // 1. Only a park or a hold sends a turn on to the next: who waits for a slot or a canary waits for his own.
    if (admission.kind === "go" || admission.reason === "slot" || admission.reason === "canary")
      return wait && admission.kind === "wait" ? wait : admission;
    wait ??= admission;
  }
  return wait ?? { kind: "wait", reason: "slot", until: null };
}

function admissionOfOne(candidate: Candidate, { now, guard, parks, hasSlot }: Circumstances): Admission {
  const { provider, config } = candidate;
  const hold = guard.holdOver(config);
  if (hold && (hold.tryAt === null || hold.tryAt > now || guard.hasCanary(config)))
    return {
      kind: "wait",
      reason: hold.reason,
      until: hold.tryAt !== null && hold.tryAt > now ? hold.tryAt : null,
    };
  const over = parks.over(config);
  const [park] = over;
  if (park && (park.until > now || parks.isProbed(over)))
    return { kind: "wait", reason: park.reason, until: park.until > now ? park.until : null };
  if (!guard.isProven(config) && guard.hasCanary(config))
    return { kind: "wait", reason: "canary", until: null };
  if (!hasSlot(provider)) return { kind: "wait", reason: "slot", until: null };
  return { kind: "go", candidate, probes: over };
}
