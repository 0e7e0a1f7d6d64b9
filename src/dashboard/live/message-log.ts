import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Clock } from "../../core/clock.ts";
import type { Page, ShownMessage } from "../link/answers.ts";
import { type Api, ApiError } from "../link/api.ts";
import type { FeedEvent } from "../link/event-feed.ts";
import { failureText } from "./live-copy.ts";
import { Refresher } from "./refresher.ts";

const pageSize = 100;
/** More stale messages than this are had faster by asking for a page of them. */
const mostAskedOneByOne = 20;

/** The messages of one session from some place on to the newest, kept up to date by events. */
export class MessageLog {
  readonly #api: Pick<Api, "get">;
  readonly #path: string;
  readonly #session: string;
  readonly #refresher: Refresher;
  readonly #messages: Signal<readonly ShownMessage[] | undefined> = signal(undefined);
  readonly #failure: Signal<string | undefined> = signal(undefined);
  readonly #hasEarlier: Signal<boolean> = signal(false);
  #stale = new Set<string>();
  #isAllStale = true;
  /** The messages after this `seq` are kept; undefined until it is known where the newest are. */
  #after: number | undefined;

  constructor(parts: { api: Pick<Api, "get">; clock: Clock; session: string }) {
    this.#api = parts.api;
    this.#session = parts.session;
    this.#path = `api/sessions/${encodeURIComponent(parts.session)}/messages`;
    this.#refresher = new Refresher({ clock: parts.clock, refresh: () => this.#refresh(), pauseMs: 100 });
  }

  /** By `seq`; undefined until they are known. */
  get all(): ReadonlySignal<readonly ShownMessage[] | undefined> {
    return this.#messages;
  }

  /** Why the last try to get them failed; undefined where it did not. */
  get failure(): ReadonlySignal<string | undefined> {
    return this.#failure;
  }

  /** Whether there may be messages before the first that is kept. */
  get hasEarlier(): ReadonlySignal<boolean> {
    return this.#hasEarlier;
  }

  /** Keeps them up to date until the answer is called. */
  watch(): () => void {
    return this.#refresher.watch();
  }

  /** Takes the hint of an event. */
  observe({ type, data }: FeedEvent): void {
    if (data["session"] !== this.#session) return;
    const { message } = data;
    if (type.startsWith("message.") && typeof message === "string") this.#stale.add(message);
    else return;
    this.#refresher.touch();
  }

  /** Anything may have been missed. */
  touch(): void {
    this.#isAllStale = true;
    this.#refresher.touch();
  }

  /** Keeps a page more of earlier ones. */
  loadEarlier(): void {
    this.#after = Math.max(0, (this.#after ?? 0) - pageSize);
    this.touch();
  }

  async #refresh(): Promise<void> {
    const stale = this.#stale;
    const isAll = this.#isAllStale || stale.size > mostAskedOneByOne;
    this.#stale = new Set();
    this.#isAllStale = false;
    try {
      const messages = isAll ? await this.#loadAll() : await this.#reload(stale);
      this.#messages.value = messages;
      this.#failure.value = undefined;
    } catch (thrown) {
      this.#isAllStale = true;
      this.#failure.value = failureText(thrown);
    }
  }

  async #loadAll(): Promise<ShownMessage[]> {
    this.#after ??= Math.max(0, (await this.#newestSeq()) - pageSize);
    this.#hasEarlier.value = this.#after > 0;
    const messages: ShownMessage[] = [];
    let page: Page<ShownMessage>;
    do {
      page = await this.#page(messages.at(-1)?.seq ?? this.#after, 1000);
      messages.push(...page.items);
    } while (page.next !== null);
    return messages;
  }

  async #reload(ids: ReadonlySet<string>): Promise<ShownMessage[]> {
    const found = await Promise.all([...ids].map((id) => this.#find(id)));
    const kept = (this.#messages.peek() ?? []).filter(({ id }) => !ids.has(id));
    const after = this.#after ?? 0;
    const fresh = found.filter((message) => message !== undefined).filter(({ seq }) => seq > after);
    return [...kept, ...fresh].toSorted((a, b) => a.seq - b.seq);
  }

  /** Lists go upwards only: doubled until nothing comes after, then halved. 0 where there is none. */
  async #newestSeq(): Promise<number> {
    const hasAfter = async (seq: number): Promise<boolean> => (await this.#page(seq, 1)).items.length > 0;
    let none = pageSize;
    if (!(await hasAfter(none))) return none;
    let some = none;
    while (await hasAfter(none)) [some, none] = [none, none * 2];
    while (none - some > 1) {
      const middle = Math.floor((some + none) / 2);
      if (await hasAfter(middle)) some = middle;
      else none = middle;
    }
    return none;
  }

  #page(after: number, limit: number): Promise<Page<ShownMessage>> {
    return this.#api.get(`${this.#path}?after=${after}&limit=${limit}`);
  }

  /** Undefined where it was deleted. */
  async #find(id: string): Promise<ShownMessage | undefined> {
    try {
      return await this.#api.get<ShownMessage>(`api/messages/${encodeURIComponent(id)}`);
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.status === 404) return undefined;
      throw thrown;
    }
  }
}
