import type { Settings } from "../settings/schema.ts";
import { type Binding, type BindingInputs, bindingOf, fallbackBindings } from "./binding.ts";

/** The settings in force and their revision. */
export interface SettingsInForce {
  revision: number;
  /** When the revision came into force. */
  appliedAt: number;
  settings: Settings;
}

/**
 * The bindings of the revision in force. Sessions with the same wishes share one, so that ten thousand of them are
 * compared with a change by as many look-ups, not by as many hashes.
 */
export class Bindings {
  readonly #inForce: () => SettingsInForce;
  #revision = -1;
  readonly #known = new Map<string, Binding>();

  constructor(inForce: () => SettingsInForce) {
    this.#inForce = inForce;
  }

  get inForce(): SettingsInForce {
    return this.#inForce();
  }

  /** The binding that a session with these wishes should have now. */
  of(inputs: BindingInputs): Binding {
    const { revision, settings } = this.#inForce();
    if (revision !== this.#revision) {
      this.#known.clear();
      this.#revision = revision;
    }
    const { provider, model, mode } = inputs.overrides;
    const name = JSON.stringify([provider, model, mode, inputs.system]);
    const known = this.#known.get(name);
    if (known) return known;
    const binding = bindingOf(settings, inputs);
    this.#known.set(name, binding);
    return binding;
  }

  /** Where a session with these wishes may go while its own provider is parked. */
  fallbacks(inputs: BindingInputs): Binding[] {
    return fallbackBindings(this.#inForce().settings, inputs, this.of(inputs));
  }
}
