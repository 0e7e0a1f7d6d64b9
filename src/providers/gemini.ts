import { createGoogle } from "@ai-sdk/google";
import { apiUrl } from "./endpoint.ts";
import type { ProviderConfig } from "./provider.ts";
import type { Wire } from "./wire.ts";

/** Google's Gemini API: `POST …/v1beta/models/MODEL:streamGenerateContent?alt=sse`. */
export function geminiWire(config: ProviderConfig): Wire {
  const url = apiUrl("gemini", config.endpoint);
  // Without a key the library would look for one in the environment: what it is given here is taken off again.
  const apiKey = config.key ?? "none";
  return { url, model: (fetch) => createGoogle({ baseURL: url, apiKey, fetch })(config.model) };
}
