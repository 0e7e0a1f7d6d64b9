import type { StoredEvent } from "../../src/core/events.ts";
import { SegueError } from "../../src/core/errors.ts";
import { createIds } from "../../src/core/ids.ts";
import type { AcceptRequest, AcceptResult } from "../../src/store/inbox.ts";
import type { MessageRecord } from "../../src/store/message.ts";
import type { NewSession, SessionRecord } from "../../src/store/sessions.ts";
import type { Store } from "../../src/store/store.ts";

/** The time of everything that happens at no other. */
export const noon = Date.parse("2026-03-01T12:00:00.000Z");

/** A store, and what it told. */
export interface StoreUnderTest {
  store: Store;
  /** Events as they were published, one list for each commit. */
  published: StoredEvent[][];
  /** Closes the store and opens another on what it kept. */
  reopen(): Promise<StoreUnderTest>;
}

/** Opens an empty store; whoever hands this in closes it when the test has ended. */
export type OpenStore = () => StoreUnderTest;

const ids = createIds(() => 0);

/** Posts contents to a session, without an Idempotency-Key unless one is given. */
export function accept(
  store: Store,
  session: string,
  contents: readonly string[],
  more: Partial<AcceptRequest> = {},
): Promise<AcceptResult> {
  const messages = contents.map((content) => ({ id: ids.message(), content, retryOf: null }));
  return store.messages.accept({
    session,
    messages,
    idempotency: null,
    maxPending: 10_000,
    at: noon,
    ...more,
  });
}

/** Posts contents that have to be accepted; the answer is their records. */
export async function accepted(
  store: Store,
  session: string,
  contents: readonly string[],
  more: Partial<AcceptRequest> = {},
): Promise<MessageRecord[]> {
  const result = await accept(store, session, contents, more);
  if (result.kind !== "accepted") throw new Error(`the post to ${session} answered ${result.kind}`);
  return Promise.all(result.messages.map(({ id }) => messageOf(store, id)));
}

/** One message that has to be accepted. */
export async function acceptedOne(store: Store, session: string, content = "hello"): Promise<MessageRecord> {
  const [message] = await accepted(store, session, [content]);
  if (!message) throw new Error("a post of one message was answered without it");
  return message;
}

/** A message that has to be there. */
export async function messageOf(store: Store, id: string): Promise<MessageRecord> {
  const message = await store.messages.get(id);
  if (!message) throw new Error(`there is no message ${id}`);
  return message;
}

/** A session that has to be there. */
export async function sessionOf(store: Store, id: string): Promise<SessionRecord> {
  const session = await store.sessions.get(id);
  if (!session) throw new Error(`there is no session ${id}`);
  return session;
}

/** A session that follows the settings, to be created. */
export function newSession(id: string, more: Partial<NewSession> = {}): NewSession {
  const overrides = { provider: null, model: null, mode: null };
  return { id, title: null, system: null, labels: {}, overrides, ...more };
}

/** The code with which something is refused; fails where it is not, or in other words than the store's. */
export async function refusalOf(asked: Promise<unknown>): Promise<string> {
  const thrown: unknown = await asked.then(
    () => undefined,
    (reason) => reason,
  );
  if (thrown instanceof SegueError) return thrown.code;
  throw new Error(`it was not refused, or not in the store's words: ${String(thrown)}`);
}

/** Published events in the order of their commits, as type and data without `at`. */
export function told({ published }: StoreUnderTest): { type: string; data: Record<string, unknown> }[] {
  return published.flat().map(({ type, data }) => {
    const { at: _at, ...rest }: Record<string, unknown> = JSON.parse(data);
    return { type, data: rest };
  });
}

/** The types of published events, in order. */
export function toldTypes(under: StoreUnderTest): string[] {
  return told(under).map(({ type }) => type);
}
