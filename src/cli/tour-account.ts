import type { MessageAnswer } from "./answers.ts";

/** A message that the daemon accepted with 202, in the order of posting. */
export interface PostedMessage {
  id: string;
  session: string;
  content: string;
}

/** Everything that the tour has seen, from the daemon's own answers. */
export interface Evidence {
  posted: readonly PostedMessage[];
  /** All messages of all sessions, as they are at the end, by session and `seq`. */
  found: readonly MessageAnswer[];
  /** Ids of the messages that were told to have ended, once for each time it was told. */
  endings: readonly string[];
  /** Ids of the messages whose turn began after a newer revision was in force than the one it ran under. */
  staleStarts: readonly string[];
  /** How many turns were put back for a restart of their session: an edit must never do that. */
  putBackByEdits: number;
}

/** What is not as promised, a sentence each; empty where nothing was lost. */
export function findFaults(evidence: Evidence): string[] {
  return [
    ...faultsOfDelivery(evidence),
    ...faultsOfOrder(evidence),
    ...faultsOfEdits(evidence),
    ...evidence.found.flatMap(faultsOfOutcome),
  ];
}

function faultsOfDelivery({ posted, found, endings }: Evidence): string[] {
  const foundIds = new Set(found.map((message) => message.id));
  const postedIds = new Set(posted.map((message) => message.id));
  const lost = posted.filter((message) => !foundIds.has(message.id));
  const strange = found.filter((message) => !postedIds.has(message.id));
  const notOnce = posted.filter(({ id }) => endings.filter((ended) => ended === id).length !== 1);
  return [
    ...lost.map((message) => `${message.id} was accepted and is gone.`),
    ...strange.map((message) => `${message.id} was never posted.`),
    ...notOnce.map((message) => `${message.id} was not told to have ended exactly once.`),
  ];
}

function faultsOfOutcome(message: MessageAnswer): string[] {
  const name = `Message ${message.seq} of ${message.session}`;
  if (message.status !== "done") return [`${name} is ${message.status}.`];
  return message.reply === message.content ? [] : [`${name} was not echoed as it was sent.`];
}

/** In each session messages stand in the order of posting, and no turn began before the one before had ended. */
function faultsOfOrder({ posted, found }: Evidence): string[] {
  const order = new Map(posted.map((message, index) => [message.id, index]));
  return found.flatMap((message, index) => {
    const before = found[index - 1];
    if (before?.session !== message.session) return [];
    const isPostedLater = (order.get(message.id) ?? -1) > (order.get(before.id) ?? -1);
    const isTakenLater = (message.startedAt ?? "") >= (before.finishedAt ?? "");
    return isPostedLater && isTakenLater
      ? []
      : [`Message ${message.seq} of ${message.session} is out of order.`];
  });
}

function faultsOfEdits({ staleStarts, putBackByEdits }: Evidence): string[] {
  return [
    ...staleStarts.map((id) => `${id} began under settings already replaced.`),
    ...(putBackByEdits === 0 ? [] : [`${putBackByEdits} turns were interrupted by an edit.`]),
  ];
}

/** Who answered what: for each session the stretches of `seq` that one provider answered under one revision. */
export function stretchesOf(found: readonly MessageAnswer[], session: string): string[] {
  const stretches: { provider: string; revision: number; from: number; to: number }[] = [];
  for (const { session: of, provider, revision, seq } of found) {
    if (of !== session) continue;
    const last = stretches.at(-1);
    if (last && last.provider === provider && last.revision === revision) last.to = seq;
    else stretches.push({ provider: provider ?? "nobody", revision: revision ?? 0, from: seq, to: seq });
  }
  return stretches.map(
    ({ provider, from, to }) => `${provider} ${from === to ? `${from}` : `${from}-${to}`}`,
  );
}
