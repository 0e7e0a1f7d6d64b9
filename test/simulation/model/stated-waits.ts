import type { ShownSession } from "../../../src/http/answers.ts";
import type { Document, Seen } from "../history.ts";
import { type Destination, destinationOf, fallbackOf, providerEntry } from "./document.ts";
import type { Calls } from "./calls.ts";
import type { Revisions } from "./revisions.ts";
import { expect } from "./violation.ts";

type Stored = Extract<Seen, { kind: "stored" }>;

const parked: ReadonlySet<string | null> = new Set(["rate_limited", "unreachable", "auth", "not_found"]);

/** Judges that who is said to wait for a provider is in the scope of a park or a hold that is shown (sections 3.5 and 4). */
export function expectWaitsStated(stored: Stored, revisions: Revisions): void {
  if (revisions.newest?.revision !== stored.status.revision) return;
  const documents = revisions.documentsOf(stored.status.revision);
  for (const session of stored.sessions) {
    if (session.state !== "waiting" || !parked.has(session.waitingFor)) continue;
    const isStated =
      documents.length === 0 || documents.some((document) => isShown(session, document, stored));
    expect(
      isStated,
      "parks",
      () => `${session.id} waits for ${session.waitingFor}, and no park or hold of its own is shown`,
    );
  }
}

/** Judges that who waits for a slot or a canary waits for a turn that runs (section 3.5; `limits.turnsPerProvider`). */
export function expectSomebodyRuns({ sessions, at }: Stored, calls: Calls): void {
  for (const { id, state, waitingFor, model } of sessions) {
    if (state !== "waiting" || (waitingFor !== "slot" && waitingFor !== "canary")) continue;
    const runs = [...calls.running(at)].filter((call) => waitingFor === "slot" || call.model === model);
    expect(
      runs.length > 0,
      "rest",
      () => `${id} waits for a ${waitingFor}, and no turn runs that it could wait for`,
    );
  }
}

/** Judges that who has a message pending has a turn, waits or restarts (section 5, `state`; section 3.6 of a crash). */
export function expectNobodyIdles({ sessions, daemon }: Stored): void {
  if (daemon.phase !== "serving") return;
  for (const { id, state, pending } of sessions) {
    const isAtWork = pending === 0 || (state !== "idle" && state !== "unloaded");
    expect(isAtWork, "rest", () => `${id} is ${state} with ${pending} pending`);
  }
}

/** Whether what a session wants, or has, or may fall back to, is shown to be parked or held. */
function isShown({ overrides, provider, model }: ShownSession, document: Document, stored: Stored): boolean {
  const scopes = [
    destinationOf(document, overrides),
    destinationOf(document, { provider, model, mode: null }),
    ...fallbackOf(document).map((name) => providerEntry(document, name)),
  ];
  const shown = [
    ...Object.values(stored.stats.providers).flatMap(({ parks }) => parks),
    ...stored.status.held,
  ];
  return shown.some((each) => scopes.some((scope) => isIn(scope, each)));
}

function isIn({ endpoint, model }: Destination, shown: { endpoint: string; model: string | null }): boolean {
  return (
    (endpoint === undefined || endpoint === shown.endpoint) &&
    (shown.model === null || model === undefined || model === shown.model)
  );
}
