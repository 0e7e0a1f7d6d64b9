import type { Settings } from "../settings/schema.ts";
import { identityOf } from "../providers/identity.ts";
import type { ProvenBinding } from "../providers/guard.ts";
import { type Binding, type BindingInputs, bindingOf, fallbackBindings, withOptionsOf } from "./binding.ts";

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
  /** The same, for wishes that were asked for before: most sessions share theirs too. */
  #ofInputs = new WeakMap<BindingInputs, Binding>();

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
      this.#ofInputs = new WeakMap();
      this.#revision = revision;
    }
    const binding = this.#ofInputs.get(inputs) ?? this.#ofWishes(settings, inputs);
    this.#ofInputs.set(inputs, binding);
    return binding;
  }

  #ofWishes(settings: Settings, inputs: BindingInputs): Binding {
    const { provider, model, mode } = inputs.overrides;
    const name = JSON.stringify([provider, model, mode, inputs.system]);
    const known = this.#known.get(name);
    if (known) return known;
    const binding = bindingOf(settings, inputs);
    this.#known.set(name, binding);
    return binding;
  }

  /** An older binding with the options of the one to have. */
  back(older: Binding, wanted: Binding): Binding {
    const name = `${older.fingerprint} ${wanted.fingerprint}`;
    const known = this.#known.get(name);
    if (known) return known;
    const binding = withOptionsOf(older, wanted);
    this.#known.set(name, binding);
    return binding;
  }

  /**
   * A binding that was proven, made again from the settings of now; undefined where its endpoint or its key is no
   * longer among them.
   */
  rebuild(proven: ProvenBinding, inputs: BindingInputs): Binding | undefined {
    const { settings } = this.#inForce();
    const { model } = proven;
    for (const provider of new Set([proven.provider, ...Object.keys(settings.providers)])) {
      const binding = bindingOf(settings, { ...inputs, overrides: { ...inputs.overrides, provider, model } });
      if (identityOf(binding.config).binding === proven.identity) return binding;
    }
    return undefined;
  }

  /** Where a session with these wishes may go while its own provider is parked. */
  fallbacks(inputs: BindingInputs): Binding[] {
    return fallbackBindings(this.#inForce().settings, inputs, this.of(inputs));
  }
}
