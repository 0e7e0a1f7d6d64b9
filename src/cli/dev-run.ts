import { join } from "node:path";
import * as v from "valibot";
import type { Clock } from "../core/clock.ts";
import type { DevRun } from "../daemon/dev.ts";
import { ChildDaemon, type Ending } from "./child-daemon.ts";
import { DaemonClient } from "./client.ts";
import { keepCheckpoint } from "./kept-checkpoints.ts";

/** What a drain of one second and the closing of a store may take before the program is killed. */
const stopLimitMs = 10_000;
/** A program that does not answer is stopped without a look at its drain. */
const listenLimitMs = 500;

const timedEvent = v.object({ at: v.string() });

/** A child of `segue dev`, on its data folder. */
export class ChildRun implements DevRun {
  readonly #child: ChildDaemon;
  readonly #data: string;
  readonly #env: Record<string, string | undefined>;
  readonly #clock: Clock;

  constructor(parts: {
    args: readonly string[];
    data: string;
    env: Record<string, string | undefined>;
    clock: Clock;
  }) {
    const { args, data, env, clock } = parts;
    this.#data = data;
    this.#env = env;
    this.#clock = clock;
    this.#child = ChildDaemon.spawn({ args, env, clock, errors: "shared" });
  }

  get serving(): Promise<string | undefined> {
    return this.#child.serving;
  }

  get ended(): Promise<Ending> {
    return this.#child.ended;
  }

  async checkpoint(): Promise<void> {
    await keepCheckpoint(await this.#client(), join(this.#data, "checkpoints"), this.#clock.now());
  }

  async stop(): Promise<{ drainMs: number }> {
    const drain = new AbortController();
    const { isListening, drainMs } = this.#followDrain(drain.signal);
    const limit = new AbortController();
    await Promise.race([isListening, this.ended, this.#clock.sleep(listenLimitMs, limit.signal)]);
    limit.abort();
    await this.#child.stop(stopLimitMs);
    drain.abort();
    return { drainMs: await drainMs };
  }

  kill(): Promise<void> {
    return this.#child.kill();
  }

  /** `drainMs` is what lies between the two events in which the program tells of it; 0 where it did not get to tell. */
  #followDrain(signal: AbortSignal): { isListening: Promise<void>; drainMs: Promise<number> } {
    const opened = Promise.withResolvers<void>();
    const times = new Map<string, number>();
    const follow = async (): Promise<void> => {
      const client = await this.#client();
      const path = "/api/events?type=daemon.draining,daemon.stopping";
      for await (const { type, data } of client.events(path, { signal, onOpen: opened.resolve }))
        times.set(type, Date.parse(v.parse(timedEvent, JSON.parse(data)).at));
    };
    // Whatever breaks off the stream: what it told counts.
    const ended = follow().catch(opened.resolve);
    const drainMs = ended.then(() => {
      const from = times.get("daemon.draining");
      return from === undefined ? 0 : Math.max(0, (times.get("daemon.stopping") ?? from) - from);
    });
    return { isListening: opened.promise, drainMs };
  }

  #client(): Promise<DaemonClient> {
    return DaemonClient.of({ flags: {}, env: this.#env, paths: { data: this.#data } });
  }
}
