import type { Chance } from "./chance.ts";
import type { Answer, Clients } from "./clients.ts";
import { isDocument } from "./settings-texts.ts";

const sessionNames = ["a", "b", "c", "pinned"] as const;
const words = ["x", "y", "a longer text than the others are"] as const;

/** Whoever posts messages and looks after sessions. */
export class User {
  readonly #clients: Clients;
  /** Ids of messages that answers told of. */
  readonly #messages: string[] = [];
  readonly #keys: { session: string; key: string; body: unknown }[] = [];
  readonly #sessions: string[] = [...sessionNames];
  /** Sessions that may have come to set something for themselves. */
  readonly #wishing = new Set<string>();
  #lastWord = 0;

  constructor(clients: Clients) {
    this.#clients = clients;
  }

  post(chance: Chance, count = 1): void {
    for (let post = 0; post < count; post++) {
      const session = this.#someSession(chance);
      const body = this.#message(chance);
      const key = chance.happens(0.3) ? `key-${++this.#lastWord}` : undefined;
      if (key !== undefined) this.#keys.push({ session, key, body });
      this.#post(session, body, key === undefined ? {} : { "Idempotency-Key": key });
    }
  }

  postList(chance: Chance): void {
    const lines = Array.from({ length: 1 + chance.below(6) }, () => JSON.stringify(this.#message(chance)));
    // Now and then one line is wrong: then none is accepted.
    if (chance.happens(0.1)) lines.splice(chance.below(lines.length), 1, "{");
    const headers = { "Content-Type": "application/x-ndjson" };
    this.#post(this.#someSession(chance), lines.join("\n"), headers);
  }

  postAgain(chance: Chance): void {
    const before = chance.pickAny(this.#keys);
    if (!before) return;
    const body = chance.happens(0.15) ? this.#message(chance) : before.body;
    this.#post(before.session, body, { "Idempotency-Key": before.key });
  }

  postAndWait(chance: Chance): void {
    const headers = { Prefer: `wait=${1 + chance.below(40)}` };
    const leavesAfterMs = chance.happens(0.3) ? chance.below(5000) : undefined;
    this.#clients.ask(
      {
        method: "POST",
        path: `/api/sessions/${this.#someSession(chance)}/messages`,
        headers,
        body: this.#message(chance),
        ...(leavesAfterMs !== undefined && { leavesAfterMs }),
      },
      (answer) => this.#learn(answer),
    );
  }

  createSession(chance: Chance): void {
    const id = chance.happens(0.5) ? `made-${++this.#lastWord}` : this.#someSession(chance);
    if (!this.#sessions.includes(id)) this.#sessions.push(id);
    const wishes = chance.happens(0.5) ? this.#wishes(chance) : {};
    this.#wishing.add(id);
    this.#send("POST", "/api/sessions", { id, ...wishes });
  }

  patchSession(chance: Chance): void {
    const session = chance.happens(0.6) ? "pinned" : this.#someSession(chance);
    this.#wishing.add(session);
    this.#send("PATCH", `/api/sessions/${session}`, this.#wishes(chance));
  }

  /** Some session comes to want a provider of its own. */
  wishFor(provider: string, chance: Chance): void {
    const session = this.#someSession(chance);
    this.#wishing.add(session);
    this.#send("PATCH", `/api/sessions/${session}`, { provider });
  }

  deleteSession(chance: Chance): void {
    this.#send("DELETE", `/api/sessions/${this.#someSession(chance)}`);
  }

  cancel(chance: Chance): void {
    const message = this.#someMessage(chance);
    if (message) this.#send("POST", `/api/messages/${message}/cancel`);
  }

  retryMessage(chance: Chance): void {
    const failed = chance.happens(0.7) ? chance.pickAny(this.#clients.failed()) : undefined;
    const message = failed ?? this.#someMessage(chance);
    if (message)
      this.#send("POST", `/api/messages/${message}/retry`, undefined, (answer) => this.#learn(answer));
  }

  retrySession(chance: Chance): void {
    this.#send("POST", `/api/sessions/${this.#someSession(chance)}/retry`);
  }

  restartSession(chance: Chance): void {
    const body = chance.pick([undefined, { when: "boundary" }, { when: "now" }]);
    this.#send("POST", `/api/sessions/${this.#someSession(chance)}/restart`, body);
  }

  read(chance: Chance): void {
    const message = this.#someMessage(chance);
    const paths = [
      "/api/settings",
      "/api/settings/history",
      "/api/sessions",
      "/readyz",
      "/api/daemon",
    ] as const;
    const session = `/api/sessions/${this.#someSession(chance)}`;
    const some = chance.pick([...paths, session, `${session}/transcript`, `${session}/messages`]);
    this.#send("GET", message && chance.happens(0.3) ? `/api/messages/${message}` : some);
  }

  follow(chance: Chance): void {
    if (this.#clients.readers.size < 3) this.#clients.follow(`session=${this.#someSession(chance)}`, null);
  }

  /** Takes back what sessions set for themselves. */
  calmDown(): void {
    const overrides = { provider: null, model: null, mode: null };
    for (const session of this.#wishing) this.#send("PATCH", `/api/sessions/${session}`, overrides);
  }

  #wishes(chance: Chance): Record<string, unknown> {
    return chance.pick([
      { provider: "second" },
      { provider: "third" },
      { provider: "vendor" },
      { provider: "vendor" },
      { provider: null },
      { model: "one-large" },
      { model: "unknown" },
      { model: null },
      { mode: "batch" },
      { mode: null },
      { system: "You are terse." },
      { title: "A title" },
      { provider: "nobody" },
      { provider: "second", model: "two" },
    ]);
  }

  #post(session: string, body: unknown, headers: Record<string, string>): void {
    this.#clients.ask(
      { method: "POST", path: `/api/sessions/${session}/messages`, headers, body },
      (answer) => this.#learn(answer),
    );
  }

  #send(method: string, path: string, body?: unknown, take?: (answer: Answer) => void): void {
    this.#clients.ask({ method, path, body }, take);
  }

  #message(chance: Chance): { content: string } {
    return { content: `${chance.pick(words)} ${++this.#lastWord}` };
  }

  #someSession(chance: Chance): string {
    return chance.pickAny(this.#sessions) ?? "a";
  }

  /** The later ones more often: they are the ones that have not ended. */
  #someMessage(chance: Chance): string | undefined {
    return chance.pickAny(chance.happens(0.7) ? this.#messages.slice(-6) : this.#messages);
  }

  #learn({ status, body }: Answer): void {
    if (status >= 300 || !isDocument(body)) return;
    const found = Array.isArray(body["items"]) ? body["items"] : [body];
    for (const item of found)
      if (isDocument(item) && typeof item["id"] === "string") this.#messages.push(item["id"]);
  }
}
