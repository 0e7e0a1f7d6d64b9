import type { Store } from "../store/store.ts";
import { EventBatch } from "./event-batch.ts";

/** Reads stored events by pages. Readers that are equally far behind share a page: it is read and written once. */
export class EventPages {
  /** Events of a whole page; a shorter one is the last. */
  static readonly size = 500;
  readonly #store: Store;
  #underWay = new Map<number, Promise<EventBatch>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** The first events after an id, whatever was committed before it was asked for among them. */
  after(id: number): Promise<EventBatch> {
    const known = this.#underWay.get(id);
    if (known) return known;
    const pages = this.#underWay;
    const page = this.#read(id).finally(() => pages.delete(id));
    pages.set(id, page);
    return page;
  }

  /** Something was committed: a page that was asked for before may lack it, and is not shared any more. */
  outdate(): void {
    if (this.#underWay.size > 0) this.#underWay = new Map();
  }

  async #read(id: number): Promise<EventBatch> {
    return new EventBatch(await this.#store.events.after(id, EventPages.size));
  }
}
