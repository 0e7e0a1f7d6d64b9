import { splitBaseUrl } from "./base-url.ts";
import type { Judged } from "./judged.ts";
import type { Settings } from "./schema.ts";

/** What stands for a secret in everything that is shown. */
export const mask = "••••";

/** A shorter value is only searched for as a word of its own: "ollama" is the key of many a local server. */
const longEnough = 8;
/** A shorter one is not searched for at all: masking every "x" would hide the text and show the key. */
const shortestSearched = 3;

/**
 * Every value that must not be seen: values of secret keys, defaults included, user-info of base URLs, and what
 * arguments of a command got by reference.
 */
export function secretsOf(settings: Settings, values: readonly Judged[]): string[] {
  const effective = Object.values(settings.providers).flatMap(({ apiKey, userInfo }) => [
    apiKey,
    ...partsOf(userInfo),
  ]);
  const given = values.flatMap(secretsIn);
  const found = [settings.server.token, ...effective, ...given].filter((value) => typeof value === "string");
  return [...new Set(found)].filter((value) => value !== "");
}

function secretsIn({ leaf, value, referred }: Judged): string[] {
  const last = leaf.path.at(-1);
  if (last === "argv") return referred.filter((text) => text.length >= longEnough);
  if (typeof value !== "string") return leaf.key.secret ? [...referred] : [];
  if (leaf.key.secret) return [value];
  return last === "baseUrl" ? partsOf(splitBaseUrl(value).userInfo) : [];
}

/** Of `user:password` the whole and the password; the user's name only where it stands alone, as a token does. */
function partsOf(userInfo: string | undefined): string[] {
  if (userInfo === undefined) return [];
  const colon = userInfo.indexOf(":");
  const password = userInfo.slice(colon + 1);
  return [userInfo, password === "" ? userInfo.slice(0, colon) : password];
}

/** Knows every secret of every settings that were in force, and hides them in any text. */
export class Secrets {
  readonly #shortest: number;
  readonly #forms = new Set<string>();
  #pattern: RegExp | undefined;

  /** Values shorter than `shortest` are not searched for. */
  constructor(shortest: number = shortestSearched) {
    this.#shortest = shortest;
  }

  /** Adds secrets; those learnt before stay, because a late error may quote an old key. */
  learn(values: readonly string[]): void {
    const before = this.#forms.size;
    const searched = values.filter((value) => value.length >= this.#shortest);
    for (const form of searched.flatMap(formsOf)) this.#forms.add(form);
    if (this.#forms.size > before) this.#pattern = patternOf([...this.#forms]);
  }

  /** `text` with each known secret in it replaced, whether plain, percent-encoded, in base64 or as JSON writes it. */
  redact(text: string): string {
    return this.#pattern ? text.replace(this.#pattern, mask) : text;
  }
}

function formsOf(value: string): string[] {
  const bytes = Buffer.from(value, "utf8");
  const forms = [value, JSON.stringify(value).slice(1, -1), percentEncoded(bytes)];
  if (value.length >= longEnough || value.includes(":")) {
    forms.push(bytes.toString("base64").replace(/=+$/, ""), bytes.toString("base64url"));
  }
  return forms;
}

/** As encodeURIComponent does it, but for any text. */
function percentEncoded(bytes: Buffer): string {
  return encodeURIComponent(bytes.toString("utf8"));
}

/** Longest first, so that of two secrets where one holds the other nothing is left over. */
function patternOf(forms: readonly string[]): RegExp {
  const sorted = [...forms].sort((a, b) => b.length - a.length);
  const alternatives = sorted.map((form) => {
    const literal = form.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
    return form.length >= longEnough ? literal : `(?<![A-Za-z0-9])${literal}(?![A-Za-z0-9])`;
  });
  return new RegExp(alternatives.join("|"), "g");
}
