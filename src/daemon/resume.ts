import { closeSync } from "node:fs";
import { relay } from "#platform";
import type { LastRestart } from "../http/services.ts";
import { passOn, shareAddress, holdAlone } from "../platform/kept-listener.ts";
import { ownDescriptor } from "../platform/process-image.ts";
import type { Store } from "../store/store.ts";
import type { Front } from "./front.ts";
import type { Handover } from "./handover.ts";
import { restartNote } from "./restart.ts";

/** Takes up the sessions that were at work under the program before: each gets the note; `boot` takes turns from here on. */
export async function resume(
  { sessions: active, drainedAt, requeued, timedOut }: Handover,
  { store, boot, now }: { store: Store; boot: string; now: () => number },
): Promise<LastRestart> {
  await store.messages.takeBack(boot, now());
  const subscribers = new Map(active.map((session) => [session.id, session.subscribers]));
  const ids = new Set([...subscribers.keys(), ...(await store.sessions.withPending())]);
  const records = await Promise.all([...ids].map((id) => store.sessions.get(id)));
  const sessions = records.flatMap((record) =>
    record ? [{ id: record.id, turns: record.turns, subscribers: subscribers.get(record.id) ?? 0 }] : [],
  );
  const noted = sessions.map(({ id }) => id);
  await store.notes.add(noted, restartNote("upgrade"), now());
  const at = now();
  return { at, reason: "upgrade", downtimeMs: at - drainedAt, sessions, requeued, timedOut };
}

/**
 * Listens where the program before did, beside its kept sockets; throws `cannot_listen`, and has then taken nobody in.
 */
export async function listenBehind(
  front: Front,
  { before, listeners, address, port }: Handover,
): Promise<void> {
  if (before !== null) ownDescriptor(before);
  for (const listening of listeners) shareAddress(listening.fd);
  await front.openBehind(address, port);
}

/** Takes in who waits at the kept sockets, and closes them: from here on there is no way back. */
export function takeOver({ before, listeners, address, port }: Handover, socket: string): void {
  for (const kept of listeners) {
    const target = kept.port === null ? { path: socket } : { host: ownHost(address.host), port };
    passOn(kept, (accepted) => relay(accepted, target));
  }
  holdAlone(port);
  if (before !== null) closeSync(before);
}

/** Where this process reaches itself at a host it listens on. */
function ownHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}
