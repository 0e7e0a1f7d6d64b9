import type { Document, Seen } from "../history.ts";
import { isDocument } from "./document.ts";
import type { Judge } from "./judge.ts";
import { expect } from "./violation.ts";

/** Shorter ones stand in other words by chance. */
const shortest = 6;

/** Judges that no secret of the settings comes out again (section 1.8); what users write is theirs. */
export class Secrets implements Judge {
  readonly #secrets = new Set<string>();

  see(seen: Seen): void {
    switch (seen.kind) {
      case "born":
      case "edit":
      case "written":
        if (isDocument(seen.document)) this.#learn(seen.document);
        return;
      case "event":
        if (seen.type !== ("message.delta" as string)) this.#expectClean(seen.data, seen.type);
        return;
      case "answer":
        if (seen.status >= 400 || !isMessage(seen.body))
          this.#expectClean(seen.body, `answer ${seen.request}`);
        else this.#expectClean(seen.body["error"], `answer ${seen.request}`);
        return;
      case "stored":
        this.#expectClean([seen.status, seen.stats, seen.daemon], "the status");
        for (const { id, error } of seen.messages) if (error) this.#expectClean(error, id);
        return;
      default:
    }
  }

  #learn(document: Document): void {
    for (const [name, value] of Object.entries(document))
      if (isDocument(value)) this.#learn(value);
      else if ((name === "apiKey" || name === "token") && typeof value === "string" && isSecret(value))
        this.#secrets.add(value);
  }

  #expectClean(shown: unknown, where: string): void {
    if (shown === null || shown === undefined || this.#secrets.size === 0) return;
    const text = JSON.stringify(shown);
    for (const secret of this.#secrets)
      expect(!text.includes(secret), "secrets stay in", () => `${where} shows a secret of the settings`);
  }
}

function isSecret(value: string): boolean {
  return value.length >= shortest && !value.startsWith("$") && !value.startsWith("file:");
}

function isMessage(body: unknown): body is Document {
  return isDocument(body) && "content" in body && "seq" in body;
}
