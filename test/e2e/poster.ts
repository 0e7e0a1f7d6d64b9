import { createHash } from "node:crypto";
import type { Segue } from "../support/segue.ts";
import type { MessageAnswer } from "./answers.ts";

/** A message that was answered 2xx. */
export interface AcceptedMessage {
  id: string;
  seq: number;
  content: string;
}

/** Posts messages one after the other, each with a key of its own, and again while no daemon answers. */
export class Poster {
  /** In the order in which they were posted. */
  readonly accepted: AcceptedMessage[] = [];
  /** How often a post was sent again because its answer did not come. */
  repeats = 0;
  readonly #daemon: () => Promise<Segue>;
  readonly #session: string;

  /** `daemon` resolves with the daemon to speak to, once there is one. */
  constructor(session: string, daemon: () => Promise<Segue>) {
    this.#session = session;
    this.#daemon = daemon;
  }

  /** Resolves when every message has been accepted. `paced` is awaited before each. */
  async post(contents: readonly string[], paced: () => Promise<void> = async () => {}): Promise<void> {
    for (const [at, content] of contents.entries()) {
      await paced();
      const { id, seq } = await this.#postOne(content, at);
      this.accepted.push({ id, seq, content });
    }
  }

  async #postOne(content: string, at: number): Promise<MessageAnswer> {
    for (;;) {
      const daemon = await this.#daemon();
      const answer = await answerTo(daemon.request(this.#path, this.#request(content, at)));
      if (answer?.isOk) return JSON.parse(answer.text);
      if (answer) throw new Error(`a post was answered ${answer.status}: ${answer.text}`);
      this.repeats += 1;
    }
  }

  get #path(): string {
    return `/api/sessions/${this.#session}/messages`;
  }

  /** By turns as JSON and as plain text. */
  #request(content: string, at: number): RequestInit {
    const key = createHash("sha256").update(`${this.#session} ${at}`).digest("hex");
    const [type, body] =
      at % 2 === 0
        ? ["application/json", JSON.stringify({ content })]
        : ["text/plain; charset=utf-8", content];
    return { method: "POST", headers: { "Content-Type": type, "Idempotency-Key": key }, body };
  }
}

/** An answer that came whole; undefined where the connection ended before, also between its head and its body. */
async function answerTo(
  request: Promise<Response>,
): Promise<{ isOk: boolean; status: number; text: string } | undefined> {
  try {
    const response = await request;
    return { isOk: response.ok, status: response.status, text: await response.text() };
  } catch {
    return undefined;
  }
}
