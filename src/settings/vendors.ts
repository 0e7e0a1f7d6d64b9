import { type ProviderKind, providerKinds } from "../providers/provider.ts";

/** What a provider of a kind has where its settings say nothing. */
interface KindDefaults {
  model: string;
  /** The vendor's own base URL; undefined for kinds that call nobody. */
  baseUrl: string | undefined;
  /** The environment variable that holds the key for the vendor's own base URL. */
  keyVariable: string | undefined;
}

const table: Readonly<Record<ProviderKind, KindDefaults>> = {
  claude: {
    model: "claude-haiku-5-5",
    baseUrl: "https://api.anthropic.com",
    keyVariable: "ANTHROPIC_API_KEY",
  },
  gemini: {
    model: "gemini-3.8-flash",
    baseUrl: "https://generativelanguage.googleapis.com",
    keyVariable: "GEMINI_API_KEY",
  },
  openai: { model: "gpt-5.4-mini", baseUrl: "https://api.openai.com", keyVariable: "OPENAI_API_KEY" },
  command: { model: "command", baseUrl: undefined, keyVariable: undefined },
  echo: { model: "echo", baseUrl: undefined, keyVariable: undefined },
};

/** The defaults of a kind. */
export function defaultsOf(kind: ProviderKind): KindDefaults {
  return table[kind];
}

/** The kind that the provider of this name has without being declared; undefined for any other name. */
export function builtInKind(name: string): ProviderKind | undefined {
  return providerKinds.find((kind) => kind === name);
}

/** Whether `baseUrl` is on the vendor's own host (same scheme, host and port), whatever its path. */
export function isVendorsOwn(kind: ProviderKind, baseUrl: string): boolean {
  const own = table[kind].baseUrl;
  return own !== undefined && new URL(baseUrl).origin === new URL(own).origin;
}
