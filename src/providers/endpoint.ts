/** The kinds that are reached over HTTP. */
export type WireKind = "claude" | "gemini" | "openai";

/** The version a kind's API has where a base URL names none. */
const versions: Readonly<Record<WireKind, string>> = { claude: "v1", gemini: "v1beta", openai: "v1" };

const versionSegment = /\/v\d+(?:(?:alpha|beta)\d*)?$/;

/**
 * The URL that a kind's paths are added to, without a slash at its end (contract section 4): a base URL that ends
 * in a version is used as it is, else the version is added; for `openai` one with any path is used as it is. A
 * slash or `/chat/completions` at its end is dropped.
 */
export function apiUrl(kind: WireKind, baseUrl: string): string {
  const { origin, pathname } = new URL(baseUrl);
  const path = pathname
    .replace(/\/+$/, "")
    .replace(/\/chat\/completions$/, "")
    .replace(/\/+$/, "");
  const isComplete = kind === "openai" ? path !== "" : versionSegment.test(path);
  return isComplete ? origin + path : `${origin}${path}/${versions[kind]}`;
}

/** Whether this is OpenAI itself, which wants a few things otherwise than the servers that imitate it. */
export function isOpenAI(baseUrl: string): boolean {
  return new URL(baseUrl).origin === "https://api.openai.com";
}
