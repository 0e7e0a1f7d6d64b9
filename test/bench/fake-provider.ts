/** A provider that answers every call at once, in the process of the benchmark, and tells when calls arrived. */
export class FakeProvider {
  readonly #server: Bun.Server<undefined>;
  #called: ((at: number) => void) | undefined;

  constructor() {
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (request) => {
        this.#called?.(performance.now());
        await request.arrayBuffer();
        return new Response(reply, { headers: { "Content-Type": "text/event-stream" } });
      },
    });
  }

  get port(): number {
    return this.#server.port ?? 0;
  }

  /** What `baseUrl` of kind `openai` may hold. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  /** The moment (`performance.now()`) at which the next call arrives. To be asked for before it is made. */
  nextCall(): Promise<number> {
    return new Promise((resolve) => {
      this.#called = resolve;
    });
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }
}

const chunk = { id: "c", object: "chat.completion.chunk", created: 1, model: "fake" };
const parts = [
  { ...chunk, choices: [{ index: 0, delta: { role: "assistant", content: "Yes." }, finish_reason: null }] },
  { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
  { ...chunk, choices: [], usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 } },
];
const reply = `${parts.map((part) => `data: ${JSON.stringify(part)}\n\n`).join("")}data: [DONE]\n\n`;
