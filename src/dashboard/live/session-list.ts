import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Clock } from "../../core/clock.ts";
import type { Page, ShownSession } from "../link/answers.ts";
import { type Api, ApiError } from "../link/api.ts";
import type { FeedEvent } from "../link/event-feed.ts";
import { failureText } from "./live-copy.ts";
import { Refresher } from "./refresher.ts";

/** More stale sessions than this are had faster by asking for all. */
const mostAskedOneByOne = 24;
const pauseMs = 250;
const pageSize = 1000;

/** Events after which any session may be shown differently: what unloaded ones would run under, for one. */
const ofAll = /^(settings\.(changed|held|released)|daemon\.|rollout\.(finished|superseded))/;

/**
 * Copies of all sessions, newest first. Events say which of them are out of date; those alone are asked for again, four
 * times a second at most, and all of them where there are many or where anything may have been missed.
 */
export class SessionList {
  readonly #api: Pick<Api, "get">;
  readonly #refresher: Refresher;
  readonly #sessions: Signal<ReadonlyMap<string, ShownSession> | undefined> = signal(undefined);
  readonly #failure: Signal<string | undefined> = signal(undefined);
  #stale = new Set<string>();
  /** Of the stale ones those that were deleted: nobody has to be asked. */
  readonly #gone = new Set<string>();
  #isAllStale = true;

  constructor(api: Pick<Api, "get">, clock: Clock) {
    this.#api = api;
    this.#refresher = new Refresher({ clock, refresh: () => this.#refresh(), pauseMs });
  }

  /** By id, newest first; undefined until they are known. */
  get all(): ReadonlySignal<ReadonlyMap<string, ShownSession> | undefined> {
    return this.#sessions;
  }

  /** Why the last try to get them failed; undefined where it did not. */
  get failure(): ReadonlySignal<string | undefined> {
    return this.#failure;
  }

  /** Keeps them up to date until the answer is called. */
  watch(): () => void {
    return this.#refresher.watch();
  }

  /** Takes the hint of an event. */
  observe({ type, data }: FeedEvent): void {
    const { session } = data;
    if (ofAll.test(type)) this.#isAllStale = true;
    else if (typeof session !== "string") return;
    else {
      this.#stale.add(session);
      if (type === "session.deleted") this.#gone.add(session);
      if (type === "session.created") this.#gone.delete(session);
    }
    this.#refresher.touch();
  }

  /** Anything may have been missed. */
  touch(): void {
    this.#isAllStale = true;
    this.#refresher.touch();
  }

  async #refresh(): Promise<void> {
    const stale = this.#stale;
    const isAll = this.#isAllStale || stale.size > mostAskedOneByOne;
    this.#stale = new Set();
    this.#isAllStale = false;
    try {
      this.#sessions.value = isAll ? await this.#loadAll() : await this.#reload(stale);
      this.#failure.value = undefined;
    } catch (thrown) {
      this.#isAllStale = true;
      this.#failure.value = failureText(thrown);
    }
  }

  async #loadAll(): Promise<Map<string, ShownSession>> {
    const all = new Map<string, ShownSession>();
    let cursor: string | null = null;
    do {
      const from: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page: Page<ShownSession> = await this.#api.get(`api/sessions?limit=${pageSize}${from}`);
      for (const session of page.items) all.set(session.id, session);
      cursor = page.next;
    } while (cursor !== null);
    return all;
  }

  async #reload(ids: ReadonlySet<string>): Promise<Map<string, ShownSession>> {
    const found = await Promise.all([...ids].filter((id) => !this.#gone.has(id)).map((id) => this.#find(id)));
    const known = this.#sessions.peek() ?? new Map<string, ShownSession>();
    const fresh = new Map(found.flatMap((session) => (session ? [[session.id, session] as const] : [])));
    const isNew = [...fresh.values()].filter(({ id }) => !known.has(id)).toSorted(newestFirst);
    const merged = new Map(isNew.map((session) => [session.id, session]));
    // A known one keeps its place in the order.
    for (const [id, session] of known) {
      const now = ids.has(id) ? fresh.get(id) : session;
      if (now) merged.set(id, now);
    }
    for (const id of ids) this.#gone.delete(id);
    return merged;
  }

  /** Undefined where it was deleted. */
  async #find(id: string): Promise<ShownSession | undefined> {
    try {
      return await this.#api.get<ShownSession>(`api/sessions/${encodeURIComponent(id)}`);
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.status === 404) return undefined;
      throw thrown;
    }
  }
}

function newestFirst(a: ShownSession, b: ShownSession): number {
  return b.createdAt.localeCompare(a.createdAt);
}
