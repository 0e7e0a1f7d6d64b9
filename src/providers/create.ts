import type { Clock } from "../core/clock.ts";
import type { Provider, ProviderConfig } from "./provider.ts";

/** What providers need of the outside. */
export interface ProviderDeps {
  clock: Clock;
  /** Names of environment variables that settings refer to; asked at every turn of kind `command`. */
  withheldEnv: () => readonly string[];
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
    case "gemini":
    case "openai":
      return notYet;
    default:
      return kind satisfies never;
  }
}

const notYet: Provider = {
  async *call() {
    yield {
      type: "failed",
      failure: { kind: "invalid_request", message: "this kind of provider is still to come" },
    };
  },
};
