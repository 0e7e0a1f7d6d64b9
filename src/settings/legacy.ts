import type { Node } from "jsonc-parser";
import type { Entries } from "./entries.ts";
import { type Finding, nameText } from "./finding.ts";
import { findKey, knownAt, pathOf } from "./keys.ts";
import { type Leaf, valueOf } from "./leaf.ts";

/** What a file in claude-mem's form gives, and what of it means nothing here. */
export interface LegacyEntries extends Entries {
  /** Keys as the file writes them, in its order. */
  ignored: string[];
  /** Values that are secret by their name without being in use. */
  unusedSecrets: Node[];
}

const prefix = "CLAUDE_MEM_";
const openRouterUrl = "https://openrouter.ai/api/v1";
const secretName = /(KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)$/;
const loopback = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

/** A property of the file. */
interface Property {
  name: string;
  nameNode: Node;
  value: Node;
}

/**
 * Reads a settings file of claude-mem: flat keys `CLAUDE_MEM_…`, or the same inside `{"env": {…}}`. Undefined where the
 * file has no such key. A file that has keys of Segue's own as well is a finding.
 */
export function readLegacy(root: Node): LegacyEntries | undefined {
  const properties = propertiesOf(root);
  const env = properties.find(({ name, value }) => name === "env" && value.type === "object");
  const nested = env ? propertiesOf(env.value) : [];
  const isNested = nested.some(isLegacy);
  if (!isNested && !properties.some(isLegacy)) return undefined;
  const own = properties.find(({ name }) => name !== "$schema" && knownAt([name]));
  if (own) return { ...nothing(), findings: [bothShapes(own)] };
  const beside = properties.filter(({ name }) => name !== "$schema" && !(isNested && name === "env"));
  return isNested ? new LegacyFile("env.", nested, beside).read() : new LegacyFile("", beside, []).read();
}

/** Whether a text at this path of a file in claude-mem's form is a secret. */
export function isLegacySecret(path: readonly (string | number)[]): boolean {
  return path.length <= 2 && secretName.test(String(path.at(-1)));
}

function nothing(): LegacyEntries {
  return { leaves: [], declared: new Map(), findings: [], ignored: [], unusedSecrets: [] };
}

function isLegacy({ name }: Property): boolean {
  return name.startsWith(prefix);
}

function propertiesOf({ children = [] }: Node): Property[] {
  return children.flatMap(({ children: [nameNode, value] = [] }) =>
    nameNode && value ? [{ name: String(nameNode.value), nameNode, value }] : [],
  );
}

function bothShapes({ name, nameNode }: Property): Finding {
  const message = `${nameText(name)} is a setting of Segue in a file of claude-mem's; a file is one or the other, and \`segue migrate\` makes Segue's of claude-mem's`;
  return { path: nameText(name), message, offset: nameNode.offset };
}

/** One file in claude-mem's form, translated key by key. What is empty counts as not written. */
class LegacyFile {
  readonly #where: string;
  readonly #properties: ReadonlyMap<string, Property>;
  readonly #doubled: readonly Property[];
  readonly #beside: readonly Property[];
  readonly #used = new Set<Property>();
  readonly #leaves: Leaf[] = [];
  readonly #findings: Finding[] = [];

  constructor(where: string, properties: readonly Property[], beside: readonly Property[]) {
    this.#where = where;
    this.#properties = new Map(properties.map((property) => [property.name, property]));
    const seen = new Set<string>();
    this.#doubled = properties.filter(({ name }) => seen.size === seen.add(name).size);
    this.#beside = beside;
  }

  read(): LegacyEntries {
    for (const { name, nameNode } of this.#doubled) {
      const path = this.#where + nameText(name);
      this.#findings.push({
        path,
        message: `${path} is given twice; leave one of them out`,
        offset: nameNode.offset,
      });
    }
    this.#readProviders();
    this.#readTurns();
    this.#readDaemon();
    const rest = [...this.#properties.values()].filter((property) => !this.#used.has(property));
    const ignored = [...rest.map(({ name }) => this.#where + name), ...this.#beside.map(({ name }) => name)];
    const unusedSecrets = [...this.#properties.values(), ...this.#beside].filter((property) =>
      this.#isUnusedSecret(property),
    );
    return {
      leaves: this.#leaves,
      declared: new Map(),
      findings: this.#findings,
      ignored,
      unusedSecrets: unusedSecrets.map(({ value }) => value),
    };
  }

  #readProviders(): void {
    const wanted = this.#text("PROVIDER");
    this.#set("provider", "PROVIDER", wanted === "openrouter" ? "openai" : (wanted ?? "claude"));
    this.#setText("providers.claude.model", "MODEL");
    this.#setText("providers.gemini.model", "GEMINI_MODEL");
    this.#setText("providers.gemini.apiKey", "GEMINI_API_KEY");
    this.#setText("providers.gemini.baseUrl", "GEMINI_BASE_URL");
    // The names of what was chosen win; an empty one never does.
    const families = wanted === "openrouter" ? ["OPENROUTER", "OPENAI"] : ["OPENAI", "OPENROUTER"];
    const first = (what: string): string =>
      families.map((name) => `${name}_${what}`).find((name) => this.#text(name)) ?? "";
    for (const name of ["OPENAI", "OPENROUTER"])
      for (const what of ["API_KEY", "MODEL", "BASE_URL"]) this.#text(`${name}_${what}`);
    const chosen = { apiKey: first("API_KEY"), model: first("MODEL"), baseUrl: first("BASE_URL") };
    for (const [key, name] of Object.entries(chosen)) this.#setText(`providers.openai.${key}`, name);
    // A key goes only where it was meant to go: one of OpenAI's is not sent to OpenRouter.
    const isOpenRouter =
      wanted === "openrouter" || [chosen.apiKey, chosen.model].some((name) => name.startsWith("OPENROUTER"));
    if (chosen.baseUrl === "" && isOpenRouter && chosen.apiKey !== "OPENAI_API_KEY")
      this.#set("providers.openai.baseUrl", chosen.apiKey || chosen.model || "PROVIDER", openRouterUrl, true);
  }

  #readTurns(): void {
    const most = this.#text("CLAUDE_MAX_TOKENS");
    const isOff = this.#flag("CLAUDE_ROLLOVER_ENABLED") === false;
    if (isOff) this.#set("turn.rolloverTokens", "CLAUDE_ROLLOVER_ENABLED", 0);
    else if (most !== undefined) {
      const tokens = wholeNumber(most);
      const limit = typeof tokens === "number" ? Math.floor((tokens * 9) / 10) : tokens;
      this.#set("turn.rolloverTokens", "CLAUDE_MAX_TOKENS", limit);
    }
    const isBatching = this.#flag("BATCHING_ENABLED");
    if (isBatching !== undefined) this.#set("turn.mode", "BATCHING_ENABLED", isBatching ? "batch" : "single");
    this.#setNumber("turn.batchMax", "BATCH_MAX_SIZE");
    this.#setList("agents.skipTools", "SKIP_TOOLS");
    this.#setList("agents.exclude", "EXCLUDED_PROJECTS");
  }

  #readDaemon(): void {
    const host = this.#text("WORKER_HOST");
    if (host !== undefined && loopback.test(host)) this.#set("server.host", "WORKER_HOST", host);
    else this.#ignore("WORKER_HOST");
    this.#setNumber("server.port", "WORKER_PORT");
    const level = this.#text("LOG_LEVEL");
    if (level !== undefined) this.#set("log.level", "LOG_LEVEL", level.toLowerCase());
  }

  #setText(key: string, name: string): void {
    const text = name === "" ? undefined : this.#text(name);
    if (text !== undefined) this.#set(key, name, text);
  }

  #setNumber(key: string, name: string): void {
    const text = this.#text(name);
    if (text !== undefined) this.#set(key, name, wholeNumber(text));
  }

  /** Parts divided by commas; here an empty text is a list of none. */
  #setList(key: string, name: string): void {
    const text = this.#text(name) ?? (this.#properties.has(prefix + name) ? "" : undefined);
    if (text === undefined) return;
    const parts = text.split(",").map((part) => part.trim());
    this.#set(
      key,
      name,
      parts.filter((part) => part !== ""),
    );
  }

  #set(key: string, name: string, raw: unknown, isImplied = false): void {
    const known = findKey(key);
    if (!known) throw new TypeError(`${key} is no setting`);
    const node = isImplied ? undefined : this.#properties.get(prefix + name)?.value;
    const legacy = `${this.#where}${prefix}${name}`;
    this.#leaves.push({ key: known, name: key, path: pathOf(key), raw, node, flag: undefined, legacy });
  }

  #flag(name: string): boolean | undefined {
    const text = this.#text(name)?.toLowerCase();
    return text === undefined ? undefined : text === "true" || text === "1";
  }

  /** What a key says, as text; undefined where it is not there or empty. Whoever asks for a key makes use of it. */
  #text(name: string): string | undefined {
    const property = this.#properties.get(prefix + name);
    if (!property) return undefined;
    this.#used.add(property);
    const value = valueOf(property.value);
    if (typeof value === "object" && value !== null) {
      this.#refuse(property);
      return undefined;
    }
    if (value === null) return undefined;
    const text = typeof value === "string" ? value.trim() : JSON.stringify(value);
    return text === "" ? undefined : text;
  }

  #refuse({ name, value }: Property): void {
    const path = this.#where + nameText(name);
    if (this.#findings.some((finding) => finding.path === path)) return;
    this.#findings.push({ path, message: `${path} must be text`, offset: value.offset });
  }

  #ignore(name: string): void {
    const property = this.#properties.get(prefix + name);
    if (property) this.#used.delete(property);
  }

  /** By its name, or because it is a URL with user-info in it. */
  #isUnusedSecret({ name, value }: Property): boolean {
    if (value.type !== "string" || value.value === "") return false;
    if (this.#leaves.some(({ node }) => node === value)) return false;
    return secretName.test(name) || /:\/\/[^/?#\s]*@/.test(String(value.value));
  }
}

/** A number as claude-mem writes it; what is none stays what it is, and is judged by the table. */
function wholeNumber(text: string): number | string {
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}
