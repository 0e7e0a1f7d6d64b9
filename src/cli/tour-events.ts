import * as v from "valibot";
import type { DaemonClient, StreamedEvent } from "./client.ts";
import type { Evidence } from "./tour-account.ts";

/** What the daemon's stored events tell. They stand in the order in which what they tell of was committed. */
export interface ToldByEvents extends Pick<Evidence, "endings" | "staleStarts" | "putBackByEdits"> {
  /** How many messages were in flight when the daemon was killed, and were taken up again. */
  resumed: number;
}

const path =
  "/api/events?after=0&type=" +
  "message.started,message.done,message.failed,message.cancelled,message.requeued,settings.changed";
const eventData = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    message: v.optional(v.string()),
    reason: v.optional(v.string()),
    revision: v.optional(v.number()),
  }),
);

/** Reads the events from the oldest, over every restart, until `count` messages have ended or `signal` aborts. */
export async function readTold(
  client: DaemonClient,
  count: number,
  signal: AbortSignal,
): Promise<ToldByEvents> {
  const reader = new EventReader();
  for await (const event of client.events(path, { signal })) {
    reader.take(event);
    if (reader.ended >= count) break;
  }
  return reader.told();
}

class EventReader {
  readonly #endings: string[] = [];
  readonly #staleStarts: string[] = [];
  #newestRevision = 0;
  #putBackByEdits = 0;
  #resumed = 0;

  /** How many messages have ended. */
  get ended(): number {
    return new Set(this.#endings).size;
  }

  take(event: StreamedEvent): void {
    const { message = "", reason, revision = 0 } = v.parse(eventData, event.data);
    switch (event.type) {
      case "settings.changed":
        this.#newestRevision = revision;
        break;
      case "message.started":
        if (revision < this.#newestRevision) this.#staleStarts.push(message);
        break;
      case "message.requeued":
        if (reason === "crash") this.#resumed += 1;
        if (reason === "restart") this.#putBackByEdits += 1;
        break;
      default:
        this.#endings.push(message);
    }
  }

  told(): ToldByEvents {
    return {
      endings: this.#endings,
      staleStarts: this.#staleStarts,
      putBackByEdits: this.#putBackByEdits,
      resumed: this.#resumed,
    };
  }
}
