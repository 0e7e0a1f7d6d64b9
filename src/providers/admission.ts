import type { WaitReason } from "../core/events.ts";
import type { Candidate } from "./candidate.ts";
import type { Guard } from "./guard.ts";
import type { Park, Parks } from "./parks.ts";

/** A turn may start: under which candidate, in place of which others, and which parks it is the first to try. */
export interface Go {
  kind: "go";
  candidate: Candidate;
  passedOver: readonly Candidate[];
  probes: readonly Park[];
}

/** It may not, and this is what it waits for. */
export interface Wait {
  kind: "wait";
  reason: WaitReason;
  until: number | null;
}

/** Whether a turn may start. */
export type Admission = Go | Wait;

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
  let wait: Wait | undefined;
  const passedOver: Candidate[] = [];
  for (const candidate of candidates) {
    const admission = admissionOfOne(candidate, circumstances);
    if (admission.kind === "go") return { ...admission, passedOver };
    if (!isPassedOver(admission)) return wait ?? admission;
    wait ??= admission;
    passedOver.push(candidate);
  }
  return wait ?? { kind: "wait", reason: "slot", until: null };
}

/** Whether a turn may take the next candidate in place of this one. */
export function isKeptBack(candidate: Candidate, circumstances: Circumstances): boolean {
  const admission = admissionOfOne(candidate, circumstances);
  return admission.kind === "wait" && isPassedOver(admission);
}

/** Only a park or a hold sends a turn on to the next: who waits for a slot or a canary waits for his own. */
function isPassedOver({ reason }: Wait): boolean {
  return reason !== "slot" && reason !== "canary";
}

function admissionOfOne(
  candidate: Candidate,
  { now, guard, parks, hasSlot }: Circumstances,
): Omit<Go, "passedOver"> | Wait {
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
