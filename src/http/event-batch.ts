import type { StoredEvent } from "../core/events.ts";

/** Which events a reader wants; empty lists nothing out. */
export interface EventFilter {
  session: string | undefined;
  /** Type names, or `message.*` for all of a family; none means all. */
  types: readonly string[];
}

const encoder = new TextEncoder();

/** Whether a filter lets an event through. */
export function isWanted(
  { session: wanted, types }: EventFilter,
  session: string | null,
  type: string,
): boolean {
  if (wanted !== undefined && wanted !== session) return false;
  return types.length === 0 || types.some((name) => name === type || isOfFamily(type, name));
}

function isOfFamily(type: string, name: string): boolean {
  return name.endsWith(".*") && type.startsWith(name.slice(0, -1));
}

/**
 * Stored events in order, with their texts as readers are sent them (WHATWG HTML, "Server-sent events"). Many readers
 * want the same of it at the same time: that is joined once, and they share the bytes.
 */
export class EventBatch {
  readonly events: readonly StoredEvent[];
  /** Bytes of all its texts. */
  readonly bytes: number;
  readonly #texts: readonly Uint8Array[];
  #joined: { key: string; bytes: Uint8Array } | undefined;

  constructor(events: readonly StoredEvent[]) {
    this.events = events;
    this.#texts = events.map(({ id, type, data }) =>
      encoder.encode(`id: ${id}\nevent: ${type}\ndata: ${data}\n\n`),
    );
    this.bytes = this.#texts.reduce((sum, text) => sum + text.byteLength, 0);
  }

  /** How many events. */
  get size(): number {
    return this.events.length;
  }

  /** The index of the first event that came after `id`; its size where there is none. */
  indexAfter(id: number): number {
    const index = this.events.findIndex((event) => event.id > id);
    return index < 0 ? this.size : index;
  }

  /** The end of what, from `start` on, fits into so many bytes; one event always does. */
  endWithin(bytes: number, start: number): number {
    let left = bytes;
    let end = start;
    while (end < this.size) {
      left -= this.#texts[end]?.byteLength ?? 0;
      if (left < 0 && end > start) break;
      end += 1;
    }
    return end;
  }

  /** What of it, from `start` to before `end`, a filter lets through, as one text. */
  text(start: number, end: number, filter: EventFilter): Uint8Array {
    const key = `${start} ${end} ${filter.session ?? ""} ${filter.types.join()}`;
    if (this.#joined?.key === key) return this.#joined.bytes;
    const wanted = this.#texts.slice(start, end).filter((_text, index) => {
      const event = this.events[start + index];
      return event !== undefined && isWanted(filter, event.session, event.type);
    });
    const bytes = new Uint8Array(Buffer.concat(wanted));
    this.#joined = { key, bytes };
    return bytes;
  }
}
