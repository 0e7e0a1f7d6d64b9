import type { Clock } from "../core/clock.ts";
import { Activity } from "../http/activity.ts";
import { EventStreams } from "../http/event-stream.ts";
import { MessageEnds } from "../http/message-ends.ts";
import { Metrics } from "../http/metrics.ts";
import type { Foundation } from "./foundation.ts";

/** Those who hear of events for who asks at the interface; they last as long as the daemon. */
export class Audience {
  readonly ends = new MessageEnds();
  readonly metrics = new Metrics();
  readonly activity: Activity;
  readonly streams: EventStreams;
  readonly #unsubscribe: readonly (() => void)[];

  constructor({ store, bus }: Foundation, clock: Clock) {
    this.streams = new EventStreams({ store, bus, clock });
    this.activity = new Activity({ clock, totals: () => store.totals() });
    this.#unsubscribe = [this.ends, this.metrics, this.activity].map((listener) => bus.subscribe(listener));
  }

  /** Nobody hears anything any more. */
  close(): void {
    this.activity.close();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.streams.close();
  }
}
