import type { Document, Seen } from "../history.ts";
import {
  type Destination,
  documentIn,
  isDocument,
  keyReferences,
  providerEntry,
  providerNames,
} from "./document.ts";
import type { Judge } from "./judge.ts";
import type { Asked, Requests } from "./requests.ts";
import { expect } from "./violation.ts";

/**
 * Judges that a stored key goes only to the endpoint it was set for (section 1.8), and that nothing but a request for
 * it writes the settings (section 1.7). Who edits the file by hand sets what stands in it for what stands beside it.
 */
export class Keys implements Judge {
  readonly #requests: Requests;
  readonly #setFor = new Set<string>();
  readonly #keys = new Set<string>();
  /** What a reference led to, and the endpoints beside which it stood: who changes the one means it for the others. */
  readonly #referred = new Map<string, { keys: Set<string>; endpoints: Set<string> }>();

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  see(seen: Seen): void {
    if (seen.kind === "reference" && seen.value !== undefined) this.#of(seen.reference).keys.add(seen.value);
    if ((seen.kind === "edit" || seen.kind === "written") && seen.text !== undefined)
      for (const { reference, endpoint } of keyReferences(documentIn(seen.text) ?? {}))
        this.#of(reference).endpoints.add(endpoint);
    if ((seen.kind === "born" || seen.kind === "edit") && seen.document)
      this.#learn(seen.document, undefined);
    else if (seen.kind === "written") this.#written(seen);
    else if (seen.kind === "call" && seen.key !== null && !this.#isReferred(seen.endpoint, seen.key))
      this.#expectOwn(seen.endpoint, seen.key, "was sent");
  }

  #written({ document, text, at }: Extract<Seen, { kind: "written" }>): void {
    const asked = [
      ...this.#requests.between("PATCH", "/api/settings", at, at),
      ...this.#requests.between("PUT", "/api/settings", at, at),
      ...this.#requests.between("POST", "/api/settings/rollback", at, at),
    ].filter(({ isDryRun }) => !isDryRun);
    expect(
      asked.length > 0,
      "loading never writes",
      () => `the settings were written at ${at}, nobody asked for it`,
    );
    if (!isDocument(document)) return;
    for (const request of asked) this.#learn(document, request);
    // 1. A rollback keeps the key that the file has now, whatever else it brings back (section 5): otherwise a mistyped
    //    base URL could not be undone.
    if (asked.some(({ path }) => path === "/api/settings/rollback")) return this.#learn(document, undefined);
    // 2. What a reference leads to is not stored in the file.
    if (text.includes('"file:')) return this.#learn(document, undefined);
    for (const { endpoint, key } of entriesOf(document)) this.#expectOwn(endpoint, key, "was given");
  }

  /** Everything that stands in a document, or what a request gave a key for. */
  #learn(document: Document, request: Asked | undefined): void {
    for (const { provider, endpoint, key } of entriesOf(document)) {
      if (request && !isGiven(request, provider, key)) continue;
      this.#keys.add(key);
      this.#setFor.add(`${endpoint} ${key}`);
    }
  }

  #of(reference: string): { keys: Set<string>; endpoints: Set<string> } {
    const known = this.#referred.get(reference) ?? { keys: new Set(), endpoints: new Set() };
    this.#referred.set(reference, known);
    return known;
  }

  #isReferred(endpoint: string, key: string): boolean {
    return [...this.#referred.values()].some(
      ({ keys, endpoints }) => keys.has(key) && endpoints.has(endpoint),
    );
  }

  #expectOwn(endpoint: string, key: string, verb: string): void {
    const isOwn = this.#setFor.has(`${endpoint} ${key}`) || !this.#keys.has(key);
    expect(isOwn, "to its own endpoint", () => `${endpoint} ${verb} a key that was set for another`);
  }
}

type Entry = Destination & { endpoint: string; key: string };

function entriesOf(document: Document): Entry[] {
  return providerNames(document)
    .map((name) => providerEntry(document, name))
    .filter((entry): entry is Entry => typeof entry.endpoint === "string" && typeof entry.key === "string");
}

function isGiven({ body }: Asked, provider: string, key: string): boolean {
  return (
    isDocument(body) && providerNames(body).includes(provider) && providerEntry(body, provider).key === key
  );
}
