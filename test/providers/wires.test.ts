import { LLMock } from "@copilotkit/aimock";
import { afterEach, describe, expect, test } from "bun:test";
import { systemClock } from "../../src/core/clock.ts";
import { createProvider } from "../../src/providers/create.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { eventually } from "../support/eventually.ts";
import { configOf, endOf, failureOf, take, wireKinds, type WireKind } from "./calling.ts";

/** Everything here is answered by a server of the vendors' formats that is not ours. */
const vendors: LLMock[] = [];

afterEach(async () => {
  for (const vendor of vendors.splice(0)) await vendor.stop();
});

async function setup(kind: WireKind): Promise<{ vendor: LLMock; provider: Provider }> {
  const vendor = new LLMock({ port: 0 });
  vendors.push(vendor);
  const endpoint = await vendor.start();
  const config = configOf(kind, { endpoint, key: "sk-planted-1234" });
  return { vendor, provider: await createProvider(config, { clock: systemClock, withheldEnv: () => [] }) };
}

const usage = {
  input_tokens: 1234,
  output_tokens: 56,
  prompt_tokens: 1234,
  completion_tokens: 56,
  promptTokenCount: 1234,
  candidatesTokenCount: 56,
};

const paths: Readonly<Record<WireKind, string>> = {
  claude: "/v1/messages",
  gemini: "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
  openai: "/v1/chat/completions",
};

describe.each(wireKinds)("%s", (kind) => {
  test("a reply streams in and ends with its finish and its usage", async () => {
    const { vendor, provider } = await setup(kind);
    const content = "Grüße, 日本! A reply of a few chunks.";
    vendor.onMessage("hello", { content, usage }, { chunkSize: 4 });
    const taken = await take(provider);
    expect(taken.text).toBe(content);
    expect(taken.parts.length).toBeGreaterThan(3);
    expect(endOf(taken)).toEqual({
      type: "end",
      finish: "stop",
      usage: { inputTokens: 1234, outputTokens: 56 },
    });
    expect(taken.activity).toBeGreaterThan(1);
  });

  test("turns of one provider, together and one after the other, each get their own answer", async () => {
    const { vendor, provider } = await setup(kind);
    for (const name of ["one", "two", "three"])
      vendor.onMessage(name, { content: `reply to ${name}`, usage });
    vendor.nextRequestError(429, { message: "too many" });
    expect(failureOf(await take(provider, { content: "one" }))).toMatchObject({ kind: "rate_limited" });
    const together = await Promise.all(["one", "two"].map((content) => take(provider, { content })));
    const after = await take(provider, { content: "three" });
    expect([...together, after].map(({ text }) => text)).toEqual([
      "reply to one",
      "reply to two",
      "reply to three",
    ]);
  });

  test("the system prompt, the history and the limit of output are on the wire, in one request", async () => {
    const { vendor, provider } = await setup(kind);
    vendor.onMessage("q2", { content: "a2" });
    await take(provider, {
      system: "Be brief.",
      turns: [
        { role: "user", content: "q1" },
        { role: "assistant", content: "a1" },
      ],
      content: "q2",
    });
    const [request, ...others] = vendor.getRequests();
    expect(others).toEqual([]);
    expect(request?.path).toBe(paths[kind]);
    expect(request?.body).toMatchObject({
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "q1" },
        { role: "assistant", content: "a1" },
        { role: "user", content: "q2" },
      ],
      stream: true,
      max_tokens: 100,
    });
  });

  test("a session without a system prompt sends none, and what vendors refuse in a history is left out", async () => {
    const { vendor, provider } = await setup(kind);
    vendor.onMessage("q2", { content: "a2" });
    await take(provider, {
      turns: [
        { role: "user", content: " \n" },
        { role: "assistant", content: "you said nothing" },
        { role: "user", content: "q1" },
        { role: "assistant", content: "a1" },
      ],
      content: "q2",
    });
    expect(vendor.getLastRequest()?.body).toMatchObject({
      messages: [
        { role: "user", content: "q1" },
        { role: "assistant", content: "a1" },
        { role: "user", content: "q2" },
      ],
    });
  });

  test("a reply cut at the output limit ends with finish length", async () => {
    const { vendor, provider } = await setup(kind);
    vendor.onMessage("hello", { content: "cut of", finishReason: "length", usage });
    expect(endOf(await take(provider)).finish).toBe("length");
  });

  test("an abort in the middle of a reply ends it at once", async () => {
    const { vendor, provider } = await setup(kind);
    vendor.onMessage(
      "hello",
      { content: "slow ".repeat(2000) },
      { chunkSize: 5, streamingProfile: { ttft: 1, tps: 200, jitter: 0 } },
    );
    const abort = new AbortController();
    const taken = await take(provider, { signal: abort.signal }, { onPart: () => abort.abort() });
    expect(taken.parts).toEqual([{ type: "text", text: "slow " }]);
  });

  test("an abort before the first byte ends the call", async () => {
    const { vendor, provider } = await setup(kind);
    vendor.onMessage(
      "hello",
      { content: "late" },
      { streamingProfile: { ttft: 25_000, tps: 10, jitter: 0 } },
    );
    const abort = new AbortController();
    const taken = take(provider, { signal: abort.signal });
    await eventually("the request to arrive", () => vendor.getLastRequest());
    abort.abort();
    expect((await taken).parts).toEqual([]);
  });

  test("a reply whose connection is cut is overloaded, never a short reply", async () => {
    const { vendor, provider } = await setup(kind);
    vendor.onMessage(
      "hello",
      { content: "one two three four five" },
      { chunkSize: 4, truncateAfterChunks: 3 },
    );
    const failure = failureOf(await take(provider));
    expect(failure.kind).toBe("overloaded");
    expect(failure.message).toContain("the connection was cut");
  });

  test("429 with Retry-After is rate_limited, with the wait", async () => {
    const { vendor, provider } = await setup(kind);
    const error = { message: "Rate limit reached", type: "rate_limit_error", code: "rate_limit_exceeded" };
    vendor.onMessage("hello", { error, status: 429, retryAfter: 7 });
    const failure = failureOf(await take(provider));
    expect(failure).toMatchObject({ kind: "rate_limited", status: 429, retryAfterMs: 7000 });
    expect(failure.message).toMatch(/^429 from http:\/\/127\.0\.0\.1:\d+\/v1(?:beta)?: Rate limit reached$/);
    expect(vendor.getRequests()).toHaveLength(1);
  });

  test.each([
    [529, "overloaded_error", "rate_limited"],
    [503, "api_error", "rate_limited"],
    [500, "api_error", "overloaded"],
    [401, "authentication_error", "auth"],
    [404, "not_found_error", "not_found"],
    [400, "invalid_request_error", "invalid_request"],
  ] as const)("%i with %s is one request and counts as %s", async (status, type, kindOfFailure) => {
    const { vendor, provider } = await setup(kind);
    vendor.onMessage("hello", { error: { message: "No.", type }, status });
    expect(failureOf(await take(provider))).toMatchObject({ kind: kindOfFailure, status });
    expect(vendor.getRequests()).toHaveLength(1);
  });

  test("a prompt too long is context_overflow", async () => {
    const { vendor, provider } = await setup(kind);
    const error = {
      message: "prompt is too long: 210000 tokens > 200000 maximum",
      type: "invalid_request_error",
    };
    vendor.onMessage("hello", { error, status: 400 });
    expect(failureOf(await take(provider)).kind).toBe("context_overflow");
  });

  test("a key that the vendor repeats is not told on", async () => {
    const { vendor, provider } = await setup(kind);
    const error = { message: "Incorrect API key provided: sk-planted-1234.", type: "authentication_error" };
    vendor.onMessage("hello", { error, status: 401 });
    const { message } = failureOf(await take(provider));
    expect(message).toContain("Incorrect API key provided: ••••.");
    expect(message).not.toContain("planted");
  });
});
