import { LLMock, type ChatCompletionRequest, type ChatMessage } from "@copilotkit/aimock";
import type { IncomingMessage, ServerResponse } from "node:http";
import { digestOf, replyOf, type AimockOptions, type HeardCall } from "./aimock.ts";

// The process behind `startAimock`: one mock server that answers every call, and tells what it heard.

const options: AimockOptions = JSON.parse(process.argv[2] ?? "{}");
const calls: HeardCall[] = [];
const mock = new LLMock({ host: "127.0.0.1", port: 0, chunkSize: 16, journalMaxEntries: 0 });

mock.addFixture({
  match: { predicate: () => true },
  response: (request) => {
    const content = textOf(request.messages.findLast(({ role }) => role === "user"));
    calls.push({
      at: Date.now(),
      model: request.model,
      system: request.messages
        .filter(({ role }) => role === "system")
        .map(textOf)
        .join("\n"),
      turns: request.messages.filter(isTurn).length,
      digest: digestOf(content),
    });
    return { content: replyOf(options.name, content) };
  },
  ...pace(options),
});

mock.mount("/heard", {
  handleRequest: async (
    _request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ): Promise<boolean> => {
    if (path !== "/calls") return false;
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(calls));
    return true;
  },
});

await mock.start();
console.log(`listening on ${mock.url}`);

function isTurn({ role }: ChatMessage): boolean {
  return role === "user" || role === "assistant";
}

function textOf(message: ChatCompletionRequest["messages"][number] | undefined): string {
  const content = message?.content ?? "";
  return typeof content === "string" ? content : content.map((part) => part.text ?? "").join("");
}

function pace({ firstTokenMs, tokensPerSecond }: AimockOptions): {
  streamingProfile?: { ttft?: number; tps?: number };
} {
  if (firstTokenMs === undefined && tokensPerSecond === undefined) return {};
  return {
    streamingProfile: {
      ...(firstTokenMs === undefined ? {} : { ttft: firstTokenMs }),
      ...(tokensPerSecond === undefined ? {} : { tps: tokensPerSecond }),
    },
  };
}
