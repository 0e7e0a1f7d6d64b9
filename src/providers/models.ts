import type { LanguageModel } from "./wire.ts";

type Fetch = typeof globalThis.fetch;

/** As many models as are kept for later calls: the turns of a provider that are in flight at once, and some. */
const mostKept = 16;

/** A model that serves one call at a time. */
interface Kept {
  model: LanguageModel;
  /** Where what the model fetches goes; the call that has the model sets it. */
  fetch: Fetch;
}

/** A model for one call. */
export interface Lent {
  model: LanguageModel;
  /** Keeps the model for another call. Only for a call that came to its proper end: of any other something may come late. */
  giveBack(): void;
}

/**
 * The models of one configuration. The libraries build and compile the schemas of what a vendor sends anew for every
 * model: half a millisecond a turn (measured). So a model is kept, and what it fetches is led to the call that has it.
 */
export class Models {
  readonly #make: (fetch: Fetch) => LanguageModel;
  readonly #free: Kept[] = [];

  constructor(make: (fetch: Fetch) => LanguageModel) {
    this.#make = make;
  }

  /** A model whose call goes through `fetch`. */
  lend(fetch: Fetch): Lent {
    const kept = this.#free.pop() ?? this.#makeKept(fetch);
    kept.fetch = fetch;
    return {
      model: kept.model,
      giveBack: () => {
        if (this.#free.length < mostKept) this.#free.push(kept);
      },
    };
  }

  #makeKept(fetch: Fetch): Kept {
    const led = Object.assign((...args: Parameters<Fetch>) => kept.fetch(...args), {
      preconnect: globalThis.fetch.preconnect,
    });
    const kept: Kept = { model: this.#make(led), fetch };
    return kept;
  }
}
