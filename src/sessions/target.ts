import type { Guard, GuardMode } from "../providers/guard.ts";
import { type Binding, type BindingInputs, inputsAlone, withOptionsOf } from "./binding.ts";
import type { Bindings } from "./bindings.ts";
import type { SessionSurroundings } from "./surroundings.ts";

/** A binding of a session, and the newest revision it came with. */
export interface DatedBinding {
  binding: Binding;
  revision: number;
}

/** What a session says of itself when it is loaded. */
export interface SessionInputs extends BindingInputs {
  id: string;
  /** Identity of what its last turn that ended well ran under. */
  proven: string | null;
}

/** The binding that a session should have: by its wishes, the settings in force and what the guard holds. */
export class Target {
  readonly #session: string;
  readonly #around: SessionSurroundings;
  #inputs: BindingInputs;
  /** What it may go back to where the binding it wants is held. */
  #older: DatedBinding | undefined;
  #provenBefore: string | null;

  constructor(inputs: SessionInputs, around: SessionSurroundings) {
    this.#session = inputs.id;
    this.#around = around;
    this.#inputs = inputsAlone(inputs);
    this.#provenBefore = inputs.proven;
  }

  /** The session's wishes are others now. */
  wish(inputs: BindingInputs): void {
    this.#inputs = inputsAlone(inputs);
  }

  /** The binding it wants. */
  get wanted(): Binding {
    return this.#around.bindings.of(this.#inputs);
  }

  /** The binding it should have now: what it wants, or while that is held what it may go back to. */
  now(): DatedBinding {
    const { guard, bindings } = this.#around;
    const { wanted } = this;
    const back = bindingToGoBackTo(guard, this.#session, wanted, () => this.#lastProven());
    if (!back) return { binding: wanted, revision: this.#around.revision() };
    return { binding: bindings.back(back.binding, wanted), revision: back.revision };
  }

  /** Where a turn may go while the chosen provider is parked. */
  fallbacks(): readonly Binding[] {
    return this.#around.bindings.fallbacks(this.#inputs);
  }

  /** Whether settings not yet in force would have it want another binding. */
  wouldChangeUnder(bindings: Bindings): boolean {
    return bindings.of(this.#inputs).fingerprint !== this.wanted.fingerprint;
  }

  /** The session leaves a binding: where that was proven and is not held, it may go back to it. */
  leave(left: DatedBinding): void {
    const { guard } = this.#around;
    const { config } = left.binding;
    if (guard.isProven(config) && !guard.holdOver(config)) this.#older = left;
  }

  /** Its own, else what its last turn ran under as far as this run of the daemon or the settings still hold it. */
  #lastProven(): DatedBinding | undefined {
    if (this.#older) return this.#older;
    const { guard, bindings } = this.#around;
    const proven = this.#provenBefore === null ? undefined : guard.provenBinding(this.#provenBefore);
    const inMemory = proven && guard.provenCandidate(proven.identity);
    const binding = inMemory
      ? withOptionsOf(inMemory, this.wanted)
      : proven && bindings.rebuild(proven, this.#inputs);
    if (binding) this.#older = { binding, revision: this.#around.revision() };
    else this.#provenBefore = null;
    return this.#older;
  }
}

/**
 * Where a session runs while the binding it wants is held: its own last proven one, if the guard lets it go back
 * that far (contract section 3.5); undefined where it has to want what it wants, and waits or falls back at the gate.
 */
function bindingToGoBackTo(
  guard: Guard,
  session: string,
  wanted: Binding,
  older: () => DatedBinding | undefined,
): DatedBinding | undefined {
  const hold = guard.holdOver(wanted.config);
  if (!hold?.goesBack || guard.isTrying(wanted.config, session)) return undefined;
  const last = older();
  return last && mayGoBack(guard.mode, wanted, last.binding) ? last : undefined;
}

function mayGoBack(mode: GuardMode, wanted: Binding, older: Binding): boolean {
  switch (mode) {
    case "endpoint":
      return older.config.kind === wanted.config.kind && older.config.endpoint === wanted.config.endpoint;
    case "any":
      return true;
    case "off":
      return false;
  }
}
