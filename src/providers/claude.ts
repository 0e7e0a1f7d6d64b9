import { createAnthropic } from "@ai-sdk/anthropic";
import { apiUrl } from "./endpoint.ts";
import type { ProviderConfig } from "./provider.ts";
import type { Wire } from "./wire.ts";

/** Anthropic's Messages API: `POST …/v1/messages`. */
export function claudeWire(config: ProviderConfig): Wire {
  const url = apiUrl("claude", config.endpoint);
  // Without a key the library would look for one in the environment: what it is given here is taken off again.
  const apiKey = config.key ?? "none";
  return { url, model: (fetch) => createAnthropic({ baseURL: url, apiKey, fetch })(config.model) };
}
