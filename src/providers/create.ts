import type { Clock } from "../core/clock.ts";
import type { Provider, ProviderConfig } from "./provider.ts";
import { createWire } from "./wire.ts";

/** What providers need of the outside. */
export interface ProviderDeps {
  clock: Clock;
  /** Names of environment variables that settings refer to; asked at every turn of kind `command`. */
  withheldEnv: () => readonly string[];
}

/**
 * Makes providers, one for each configuration (the object, not what is in it): what it keeps for later calls serves
 * all turns under it. What nobody has any more is forgotten.
 */
export function createProviders(): typeof createProvider {
  const known = new WeakMap<ProviderConfig, Provider>();
  return async (config, deps) => {
    const provider = known.get(config) ?? (await createProvider(config, deps));
    known.set(config, provider);
    return provider;
  };
}

/**
 * Makes the provider of a configuration. A kind's code is loaded when the first of it is made, so that what does
 * not use it does not pay for it. Makes no call and does not throw for values that passed the schema.
 */
export async function createProvider(config: ProviderConfig, deps: ProviderDeps): Promise<Provider> {
  const { kind } = config;
  switch (kind) {
    case "echo":
      return (await import("./echo.ts")).createEcho(config, deps.clock);
    case "command":
      return (await import("./command.ts")).createCommand(config, deps);
    case "claude":
      return createWire(config, (await import("./claude.ts")).claudeWire(config), deps.clock);
    case "gemini":
      return createWire(config, (await import("./gemini.ts")).geminiWire(config), deps.clock);
    case "openai":
      return createWire(config, (await import("./openai.ts")).openaiWire(config), deps.clock);
    default:
      return kind satisfies never;
  }
}
