import { describe } from "bun:test";
import { acceptConformance } from "./conformance/accept.ts";
import { agentConformance } from "./conformance/agents.ts";
import { batchConformance } from "./conformance/batch.ts";
import { cancelConformance } from "./conformance/cancel.ts";
import { checkpointConformance } from "./conformance/checkpoints.ts";
import { claimConformance } from "./conformance/claim.ts";
import { endpointConformance } from "./conformance/endpoints.ts";
import { eventConformance } from "./conformance/events.ts";
import { figureConformance } from "./conformance/figures.ts";
import { finishConformance } from "./conformance/finish.ts";
import { groupConformance } from "./conformance/group.ts";
import { listConformance } from "./conformance/lists.ts";
import { noteConformance } from "./conformance/notes.ts";
import { putBackConformance } from "./conformance/put-back.ts";
import { recoveryConformance } from "./conformance/recovery.ts";
import { retentionConformance } from "./conformance/retention.ts";
import { retryConformance } from "./conformance/retry.ts";
import { revisionConformance } from "./conformance/revisions.ts";
import { sessionConformance } from "./conformance/sessions.ts";
import { textConformance } from "./conformance/texts.ts";
import type { OpenStore } from "./store-under-test.ts";

/** What every implementation of `Store` promises; `open` opens an empty one and closes it after the test. */
export function storeConformance(name: string, open: OpenStore): void {
  describe(name, () => {
    acceptConformance(open);
    claimConformance(open);
    finishConformance(open);
    putBackConformance(open);
    batchConformance(open);
    cancelConformance(open);
    retryConformance(open);
    recoveryConformance(open);
    sessionConformance(open);
    listConformance(open);
    figureConformance(open);
    checkpointConformance(open);
    retentionConformance(open);
    eventConformance(open);
    revisionConformance(open);
    noteConformance(open);
    endpointConformance(open);
    agentConformance(open);
    groupConformance(open);
    textConformance(open);
  });
}
