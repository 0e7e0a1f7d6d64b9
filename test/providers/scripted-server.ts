import type { Server } from "bun";
import type { WireKind } from "./calling.ts";

/** What a vendor's stream is made of, for what no emulator can be made to do. */
export interface Script {
  /** What comes before the text, and the text `Half a`. */
  begin: readonly unknown[];
  /** What makes the reply whole. */
  finish: readonly unknown[];
}

export const scripts: Readonly<Record<WireKind, Script>> = {
  claude: {
    begin: [
      {
        type: "message_start",
        message: {
          id: "msg_1",
          type: "message",
          role: "assistant",
          model: "claude-haiku-4-5",
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: {
            input_tokens: 11,
            output_tokens: 1,
            cache_read_input_tokens: 1000,
            cache_creation_input_tokens: 200,
          },
        },
      },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Half a" } },
    ],
    finish: [
      { type: "content_block_stop", index: 0 },
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn", stop_sequence: null },
        usage: { output_tokens: 5 },
      },
      { type: "message_stop" },
    ],
  },
  gemini: {
    begin: [{ candidates: [{ content: { role: "model", parts: [{ text: "Half a" }] }, index: 0 }] }],
    finish: [
      {
        candidates: [{ content: { role: "model", parts: [{ text: "" }] }, finishReason: "STOP", index: 0 }],
        usageMetadata: {
          promptTokenCount: 1211,
          cachedContentTokenCount: 1000,
          candidatesTokenCount: 3,
          thoughtsTokenCount: 2,
          totalTokenCount: 1216,
        },
      },
    ],
  },
  openai: {
    begin: [chunk({ role: "assistant", content: "" }, null), chunk({ content: "Half a" }, null)],
    finish: [
      chunk({}, "stop"),
      {
        id: "c1",
        choices: [],
        usage: {
          prompt_tokens: 1211,
          completion_tokens: 5,
          total_tokens: 1216,
          prompt_tokens_details: { cached_tokens: 1000 },
        },
      },
    ],
  },
};

function chunk(delta: unknown, finish_reason: string | null): unknown {
  return { id: "c1", object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }] };
}

/** The bytes of events; with the line that ends OpenAI's streams where `isDone`. */
export function sse(events: readonly unknown[], isDone = false): string {
  const name = (event: unknown): string =>
    typeof event === "object" && event !== null && "type" in event ? `event: ${String(event.type)}\n` : "";
  const text = events.map((event) => `${name(event)}data: ${JSON.stringify(event)}\n\n`).join("");
  return isDone ? `${text}data: [DONE]\n\n` : text;
}

/** An answer that streams `text`, in one piece. */
export function streamed(text: string): Response {
  return new Response(text, { headers: { "content-type": "text/event-stream" } });
}

/** A server on a free port; `requests` are those that came, with their bodies. */
export interface ScriptedServer {
  url: string;
  port: number;
  requests: { request: Request; body: string }[];
  stop(): Promise<void>;
}

export function serveScript(answer: (request: Request) => Response | Promise<Response>): ScriptedServer {
  const requests: ScriptedServer["requests"] = [];
  const server: Server<undefined> = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: async (request) => {
      requests.push({ request, body: await request.text() });
      return answer(request);
    },
  });
  const port = server.port ?? 0;
  return { url: `http://127.0.0.1:${port}`, port, requests, stop: () => server.stop(true) };
}
