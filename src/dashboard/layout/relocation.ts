import { effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { DaemonInfo } from "../link/answers.ts";
import { movedTo } from "../link/address.ts";
import type { FeedEvent } from "../link/event-feed.ts";

/**
 * What has become of the daemon behind the page.
 *
 * - `here`: it is the one the page came from.
 * - `moved`: it serves at another address; the page goes there by itself, unless something typed would be lost.
 * - `renewed`: it is another version; the page is to be loaded anew.
 */
export type DaemonPlace =
  | { kind: "here" }
  | { kind: "moved"; url: string }
  | { kind: "renewed"; version: string };

/** Follows the daemon to its new address. */
export class Relocation {
  readonly #state: Signal<DaemonPlace> = signal({ kind: "here" });
  readonly #location: Location;
  #first: DaemonInfo | undefined;

  constructor(parts: {
    location: Location;
    daemon: ReadonlySignal<DaemonInfo | undefined>;
    drafts: ReadonlySignal<ReadonlySet<string>>;
  }) {
    this.#location = parts.location;
    effect(() => {
      if (parts.daemon.value) this.#see(parts.daemon.value);
    });
    effect(() => {
      const state = this.#state.value;
      if (state.kind === "moved" && parts.drafts.value.size === 0) this.#location.assign(state.url);
    });
  }

  get state(): ReadonlySignal<DaemonPlace> {
    return this.#state;
  }

  /** Takes the hint of an event: the old address goes on telling for a while where the new one is. */
  observe({ type, data }: FeedEvent): void {
    const { url } = data;
    if (type === "daemon.restarted" && typeof url === "string") this.#goTo(url);
  }

  #see(daemon: DaemonInfo): void {
    this.#first ??= daemon;
    if (daemon.version !== this.#first.version)
      this.#state.value = { kind: "renewed", version: daemon.version };
    else this.#goTo(daemon.url);
  }

  #goTo(url: string): void {
    const here = new URL(this.#location.href);
    const target = this.#first && movedTo(here, this.#first.url, url);
    if (target !== undefined) this.#state.value = { kind: "moved", url: target };
  }
}
