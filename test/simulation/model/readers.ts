import type { Seen } from "../history.ts";
import type { StoredEvent } from "./judge.ts";
import { expect } from "./violation.ts";

type SeenStored = Extract<Seen, { kind: "event" }>;

/** One stream of events as it is read. */
interface Reader {
  /** Undefined until it is known where it begins. */
  lastId: number | undefined;
  session: string | null;
  types: readonly string[];
}

/**
 * Judges what readers are sent: ids rise, each once, none left out but by a gap, the same for everybody (section 6);
 * and hands on each stored event once, in the order of ids.
 */
export class Readers {
  readonly #readers = new Map<number, Reader>();
  readonly #seen = new Map<number, SeenStored>();
  readonly #feed: (event: StoredEvent) => void;
  #fedId = 0;
  #isTorn = false;

  constructor(feed: (event: StoredEvent) => void) {
    this.#feed = feed;
  }

  /** Some stored events were deleted before anybody read them: from then on they tell no whole story. */
  get isTorn(): boolean {
    return this.#isTorn;
  }

  see(seen: Seen): void {
    if (seen.kind === "reader" && seen.phase === "opened") this.#opened(seen);
    else if (seen.kind === "gap") this.#gap(seen.reader, seen.from, seen.to);
    else if (seen.kind === "event") this.#event(seen);
  }

  #opened({ reader, after, query }: Extract<Seen, { kind: "reader" }>): void {
    const parameters = new URLSearchParams(query.replace(/^[^?]*\?/, ""));
    this.#readers.set(reader, {
      lastId: after ?? undefined,
      session: parameters.get("session"),
      types: parameters.get("type")?.split(",") ?? [],
    });
  }

  #gap(number: number, from: number, to: number): void {
    const reader = this.#readers.get(number);
    if (reader) reader.lastId = to;
    if (from > this.#fedId + 1 || to <= this.#fedId) return;
    this.#isTorn = true;
    this.#fedId = to;
  }

  #event(seen: SeenStored): void {
    const reader = this.#readers.get(seen.reader);
    if (!reader || seen.id === null) return;
    const { id } = seen;
    const { lastId, session, types } = reader;
    const isAll = session === null && types.length === 0;
    expect(lastId === undefined || id > lastId, "events", () => `event ${id} came after ${lastId}`);
    expect(
      !isAll || lastId === undefined || id === lastId + 1,
      "events",
      () => `event ${id} came after ${lastId}, what is between was left out`,
    );
    expect(
      isWanted(seen, session, types),
      "events",
      () => `event ${id} (${seen.type}) was sent to who wants others`,
    );
    reader.lastId = id;
    this.#expectSame(id, seen);
    if (!isAll || id !== this.#fedId + 1) return;
    this.#fedId = id;
    if (!this.#isTorn) this.#feed(storedOf(seen, id));
  }

  #expectSame(id: number, seen: SeenStored): void {
    const before = this.#seen.get(id);
    this.#seen.set(id, seen);
    if (!before) return;
    const isSame = before.type === seen.type && JSON.stringify(before.data) === JSON.stringify(seen.data);
    expect(isSame, "events", () => `event ${id} was ${before.type} and is ${seen.type} now`);
  }
}

function storedOf(seen: SeenStored, id: number): StoredEvent {
  return { ...seen, id, at: Date.parse(seen.data.at), toldAt: seen.at };
}

function isWanted(seen: SeenStored, session: string | null, types: readonly string[]): boolean {
  const of = "session" in seen.data ? seen.data.session : null;
  if (session !== null && of !== session) return false;
  return (
    types.length === 0 ||
    types.some(
      (type) => type === seen.type || (type.endsWith(".*") && seen.type.startsWith(type.slice(0, -1))),
    )
  );
}
