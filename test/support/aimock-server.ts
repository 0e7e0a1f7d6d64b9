import { LLMock, type ChatMessage } from "@copilotkit/aimock";
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  contextDigestOf,
  digestOf,
  replyOf,
  type AimockOptions,
  type HeardCall,
  type SaidTurn,
} from "./aimock.ts";

// The process behind `startAimock`: one mock server that answers every call, and tells what it heard.

const options: AimockOptions = JSON.parse(process.argv[2] ?? "{}");
const calls: HeardCall[] = [];
let hold: PromiseWithResolvers<void> | undefined;
let held = 0;
const mock = new LLMock({ host: "127.0.0.1", port: 0, chunkSize: 16, journalMaxEntries: 0 });

mock.addFixture({
  match: { predicate: () => true },
  response: async (request) => {
    const turns = request.messages.flatMap(turnOf);
    const content = turns.findLast(({ role }) => role === "user")?.content ?? "";
    calls.push({
      at: Date.now(),
      model: request.model,
      system: request.messages
        .filter(({ role }) => role === "system")
        .map(textOf)
        .join("\n"),
      turns: turns.length,
      digest: digestOf(content),
      context: contextDigestOf(turns.slice(0, -1)),
    });
    if (hold) await heldBy(hold);
    return { content: replyOf(options.name, content) };
  },
  ...pace(options),
});

const answers = new Map<string, () => unknown>([
  ["/calls", () => calls],
  ["/held", () => held],
  ["/hold", () => void (hold ??= Promise.withResolvers())],
  ["/release", release],
]);

mock.mount("/heard", {
  handleRequest: async (
    _request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ): Promise<boolean> => {
    const answer = answers.get(path);
    if (!answer) return false;
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(answer() ?? null));
    return true;
  },
});

await mock.start();
console.log(`listening on ${mock.url}`);

function release(): void {
  hold?.resolve();
  hold = undefined;
}

async function heldBy({ promise }: PromiseWithResolvers<void>): Promise<void> {
  held += 1;
  await promise;
  held -= 1;
}

function turnOf(message: ChatMessage): SaidTurn[] {
  const { role } = message;
  if (role === "assistant") return [{ role, content: textOf(message) }];
  if (role !== "user") return [];
  const content = withoutNote(textOf(message));
  return content === "" ? [] : [{ role, content }];
}

/**
 * A note of the daemon goes before the message it comes with, as a turn of its own or, where the wire wants the roles
 * to alternate, as a part of the same turn. It is no message: what was said is compared without it.
 */
function withoutNote(text: string): string {
  return text.replace(/^\[system\] The daemon [^\n]*? from the last checkpoint\./, "");
}

function textOf(message: ChatMessage): string {
  const content = message.content ?? "";
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
