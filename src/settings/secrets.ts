import type { Problem } from "../core/errors.ts";
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
  /** Values long enough to be known by a part of them. */
  readonly #long = new Set<string>();
  /** Longest first, so that of two secrets where one holds the other nothing is left over. */
  #searches: Search[] = [];

  /** Values shorter than `shortest` are not searched for. */
  constructor(shortest: number = shortestSearched) {
    this.#shortest = shortest;
  }

  /** Adds secrets; those learnt before stay, because a late error may quote an old key. */
  learn(values: readonly string[]): void {
    const searched = values.filter((value) => value.length >= this.#shortest);
    for (const value of searched) if (value.length > longEnough) this.#long.add(value);
    const known = new Set(this.#searches.map(({ form }) => form));
    const added = new Set(searched.flatMap(formsOf).filter((form) => !known.has(form)));
    if (added.size === 0) return;
    this.#searches = [...this.#searches, ...[...added].map(searchFor)];
    this.#searches.sort((a, b) => b.form.length - a.form.length);
  }

  /**
   * `text` with each known secret in it replaced, whether plain, percent-encoded, in base64 or as JSON writes it; also
   * one that was cut where the text begins or ends.
   */
  redact(text: string): string {
    let redacted = text;
    for (const { form, pattern } of this.#searches) {
      if (redacted.includes(form)) redacted = redacted.replaceAll(pattern, mask);
    }
    for (const value of this.#long) redacted = maskCutEnds(redacted, value);
    return redacted;
  }
}

/** Copies of shorter secrets outside their own key are not masked: they are words like "ollama". */
const shortestCopy = 12;

/** Finds copies of secrets where none belongs: in comments and in values that are not secret. */
export function copiesOf(secrets: readonly string[]): Secrets {
  const copies = new Secrets(shortestCopy);
  copies.learn(secrets);
  return copies;
}

/** Problems without the secrets that stand where none belongs, the names of keys included. */
export function redactProblems(problems: readonly Problem[], secrets: Secrets): Problem[] {
  return problems.map((problem) => ({
    ...problem,
    path: secrets.redact(problem.path),
    message: secrets.redact(problem.message),
  }));
}

/** One way in which a secret may be written, and what finds it. */
interface Search {
  form: string;
  pattern: RegExp | string;
}

function searchFor(form: string): Search {
  if (form.length >= longEnough) return { form, pattern: form };
  const literal = form.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  return { form, pattern: new RegExp(`(?<![A-Za-z0-9])${literal}(?![A-Za-z0-9])`, "g") };
}

/** Hides the beginning of a secret where `text` ends, and the end of one where it begins. */
function maskCutEnds(text: string, value: string): string {
  let masked = text;
  for (let length = Math.min(value.length - 1, masked.length); length >= longEnough; length--) {
    if (masked.endsWith(value.slice(0, length))) masked = masked.slice(0, -length) + mask;
    if (masked.startsWith(value.slice(-length))) masked = mask + masked.slice(length);
  }
  return masked;
}

function formsOf(value: string): string[] {
  const bytes = Buffer.from(value, "utf8");
  const forms = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(bytes.toString("utf8"))];
  if (value.length >= longEnough || value.includes(":")) {
    const base64 = bytes.toString("base64");
    forms.push(base64, base64.replace(/=+$/, ""), bytes.toString("base64url"));
  }
  return forms;
}
