import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { apiUrl, isOpenAI } from "./endpoint.ts";
import type { ProviderConfig } from "./provider.ts";
import type { Wire } from "./wire.ts";

/** OpenAI's Chat Completions and whatever speaks it: `POST …/v1/chat/completions`, with usage in the stream. */
export function openaiWire(config: ProviderConfig): Wire {
  const url = apiUrl("openai", config.endpoint);
  const options = {
    name: "openai",
    baseURL: url,
    includeUsage: true,
    ...(config.key === undefined ? {} : { apiKey: config.key }),
    ...(isOpenAI(url) ? { transformRequestBody: forOpenAI } : {}),
  };
  return { url, model: (fetch) => createOpenAICompatible({ ...options, fetch }).languageModel(config.model) };
}

/** OpenAI's newer models refuse `max_tokens`; the servers that imitate it know no other name. */
function forOpenAI({ max_tokens, ...body }: Record<string, unknown>): Record<string, unknown> {
  return { ...body, max_completion_tokens: max_tokens };
}
