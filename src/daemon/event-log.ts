import * as v from "valibot";
import type { EventListener, EventType, StoredEvent } from "../core/events.ts";
import type { GivenFields, Log, LogFields } from "../core/log.ts";

type Level = keyof Log;

/** How grave an event is. What is not named here happens all the time: it is for who looks for something. */
const levels = new Map<EventType, Level>([
  ["message.failed", "warn"],
  ["message.requeued", "info"],
  ["session.recovered", "warn"],
  ["session.rolled_over", "info"],
  ["session.deleted", "info"],
  ["settings.changed", "info"],
  ["settings.rejected", "warn"],
  ["settings.recovered", "info"],
  ["settings.held", "warn"],
  ["settings.released", "info"],
  ["rollout.started", "info"],
  ["rollout.finished", "info"],
  ["rollout.superseded", "info"],
  ["provider.parked", "warn"],
  ["provider.ready", "info"],
  ["budget.reached", "warn"],
]);

/** What a session's generator is at the moment, and which revision it runs under. */
export type GeneratorOf = (
  session: string,
) => { generator: string | null; revision: number | null } | undefined;

/**
 * Tells the log of every stored event: one line each, with the ids of session, message, generator and revision.
 * Stored events hold neither contents nor replies, and so does the log. What the daemon does itself it tells itself.
 */
export class EventLog implements EventListener {
  readonly #log: Log;
  readonly #generatorOf: GeneratorOf;

  constructor(parts: { log: Log; generatorOf: GeneratorOf }) {
    this.#log = parts.log;
    this.#generatorOf = parts.generatorOf;
  }

  stored(events: readonly StoredEvent[]): void {
    for (const event of events) {
      if (event.type.startsWith("daemon.")) continue;
      const fields: GivenFields = () => this.#fieldsOf(event);
      this.#log[levels.get(event.type) ?? "debug"](event.type, fields);
    }
  }

  delta(): void {
    // A piece of a reply is content.
  }

  #fieldsOf({ id, session, data }: StoredEvent): LogFields {
    const { at: _at, ...told } = v.parse(v.record(v.string(), v.unknown()), JSON.parse(data));
    const present = session === null ? undefined : this.#generatorOf(session);
    return { event: id, ...present, ...flat(told) };
  }
}

/** Values as fields of a line; those in an object by their path, lists as one text. */
function flat(value: object, path = ""): LogFields {
  return Object.assign(
    {},
    ...Object.entries(value).map(([name, item]: [string, unknown]) => fieldOf(`${path}${name}`, item)),
  );
}

function fieldOf(name: string, item: unknown): LogFields {
  if (item === null || typeof item === "string" || typeof item === "number" || typeof item === "boolean")
    return { [name]: item };
  if (Array.isArray(item)) return { [name]: item.map(itemText).join(", ") };
  return typeof item === "object" ? flat(item, `${name}.`) : {};
}

function itemText(item: unknown): string {
  return typeof item === "string" ? item : problemText(item);
}

const problem = v.object({ path: v.string(), message: v.string(), line: v.optional(v.number()) });

function problemText(item: unknown): string {
  const { success, output } = v.safeParse(problem, item);
  if (!success) return JSON.stringify(item);
  return `${output.line === undefined ? "" : `line ${output.line}: `}${output.message}`;
}
