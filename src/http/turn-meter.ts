import * as v from "valibot";
import type { StoredEvent } from "../core/events.ts";

/** A turn that ended, however it did. */
export interface MeteredTurn {
  provider: string;
  outcome: "done" | "failed" | "requeued" | "cancelled";
  seconds: number;
  /** Null where it did not end well. */
  usage: { inputTokens: number; outputTokens: number } | null;
}

const eventData = v.object({
  at: v.string(),
  session: v.string(),
  message: v.string(),
  provider: v.optional(v.string()),
  usage: v.optional(v.nullable(v.object({ inputTokens: v.number(), outputTokens: v.number() }))),
});
type EventData = v.InferOutput<typeof eventData>;

interface Turn {
  provider: string;
  startedAt: number;
  messages: Set<string>;
  usage: MeteredTurn["usage"];
}

/**
 * Makes turns of the stored events: a turn of a session begins with the first `message.started` of one commit and
 * ends when none of its messages is in flight any more. A turn that began before it listened is passed over.
 */
export class TurnMeter {
  readonly #turns = new Map<string, Turn>();

  /** The turn that ended with this event, if one did. */
  observe({ type, data }: StoredEvent): MeteredTurn | undefined {
    switch (type) {
      case "message.started":
        this.#begin(v.parse(eventData, JSON.parse(data)));
        return undefined;
      case "message.done":
        return this.#end(v.parse(eventData, JSON.parse(data)), "done");
      case "message.failed":
        return this.#end(v.parse(eventData, JSON.parse(data)), "failed");
      case "message.requeued":
        return this.#end(v.parse(eventData, JSON.parse(data)), "requeued");
      case "message.cancelled":
        return this.#end(v.parse(eventData, JSON.parse(data)), "cancelled");
      default:
        return undefined;
    }
  }

  #begin({ at, session, message, provider = "" }: EventData): void {
    const known = this.#turns.get(session);
    if (known) known.messages.add(message);
    else
      this.#turns.set(session, {
        provider,
        startedAt: Date.parse(at),
        messages: new Set([message]),
        usage: null,
      });
  }

  #end({ at, session, message, usage }: EventData, outcome: MeteredTurn["outcome"]): MeteredTurn | undefined {
    const turn = this.#turns.get(session);
    if (!turn?.messages.delete(message)) return undefined;
    turn.usage = usage ?? turn.usage;
    if (turn.messages.size > 0) return undefined;
    this.#turns.delete(session);
    const seconds = Math.max(0, (Date.parse(at) - turn.startedAt) / 1000);
    return { provider: turn.provider, outcome, seconds, usage: turn.usage };
  }
}
