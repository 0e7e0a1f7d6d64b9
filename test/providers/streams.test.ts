import { afterEach, describe, expect, test } from "bun:test";
import { createServer, type AddressInfo } from "node:net";
import { createProvider } from "../../src/providers/create.ts";
import { openaiWire } from "../../src/providers/openai.ts";
import type { Provider, ProviderConfig } from "../../src/providers/provider.ts";
import { eventually } from "../support/eventually.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { configOf, endOf, failureOf, take, wireKinds, type WireKind } from "./calling.ts";
import { scripts, serveScript, sse, streamed, type ScriptedServer } from "./scripted-server.ts";

/** What the emulator of wires.test.ts cannot be made to do. */
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function serve(answer: (request: Request) => Response | Promise<Response>): ScriptedServer {
  const server = serveScript(answer);
  stops.push(() => server.stop());
  return server;
}

const clock = new ManualClock(Date.parse("2026-03-01T12:00:00Z"));

function provide(kind: WireKind, endpoint: string, more: Partial<ProviderConfig> = {}): Promise<Provider> {
  return createProvider(configOf(kind, { endpoint, ...more }), { clock, withheldEnv: () => [] });
}

const errors: Readonly<Record<WireKind, unknown>> = {
  claude: { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
  gemini: { error: { code: 503, message: "Overloaded", status: "UNAVAILABLE" } },
  openai: { error: { code: 503, message: "Overloaded" } },
};

const keyHeaders = ["authorization", "x-api-key", "x-goog-api-key"];

function sentKeys(server: ScriptedServer): Record<string, string> {
  const headers = server.requests.at(-1)?.request.headers ?? new Headers();
  return Object.fromEntries([...headers].filter(([name]) => keyHeaders.includes(name)));
}

describe.each(wireKinds)("%s", (kind) => {
  const { begin, finish } = scripts[kind];
  const whole = (): Response => streamed(sse([...begin, ...finish], kind === "openai"));

  test("input tokens are all that was read, cached ones included", async () => {
    const provider = await provide(kind, serve(whole).url);
    const taken = await take(provider);
    expect(taken.text).toBe("Half a");
    expect(endOf(taken).usage).toEqual({ inputTokens: 1211, outputTokens: 5 });
  });

  test("a stream that ends cleanly without its final event is overloaded, never a short reply", async () => {
    const provider = await provide(kind, serve(() => streamed(sse(begin))).url);
    const taken = await take(provider);
    expect(failureOf(taken).kind).toBe("overloaded");
    expect(taken.text).toBe("Half a");
  });

  test.each([
    ["nothing at all", ""],
    ["a line that is no JSON", 'data: {"half\n\n'],
    ["a page", "<html>Welcome</html>"],
  ])("a stream of %s is overloaded", async (_what, text) => {
    const provider = await provide(kind, serve(() => streamed(text)).url);
    expect(failureOf(await take(provider)).kind).toBe("overloaded");
  });

  test("an event that cannot be read makes the whole reply overloaded", async () => {
    const text = `${sse(begin)}data: {"broken\n\n${sse(finish, kind === "openai")}`;
    const provider = await provide(kind, serve(() => streamed(text)).url);
    expect(failureOf(await take(provider)).kind).toBe("overloaded");
  });

  test.each([
    ["in the middle", begin],
    ["as the first event", []],
  ])("an error inside the stream, %s, counts by its code", async (_where, before) => {
    const provider = await provide(kind, serve(() => streamed(sse([...before, errors[kind]]))).url);
    const status = kind === "claude" ? 529 : 503;
    const failure = failureOf(await take(provider));
    expect(failure).toMatchObject({ kind: "rate_limited", status });
    expect(failure.message).toContain("Overloaded");
  });

  test("an error as the first event ends the request, though the server would leave it open", async () => {
    let hasSeenEnd = false;
    const server = serve((request) => {
      request.signal.addEventListener("abort", () => (hasSeenEnd = true));
      const body = new ReadableStream({ start: (controller) => controller.enqueue(sse([errors[kind]])) });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
    expect(failureOf(await take(await provide(kind, server.url))).kind).toBe("rate_limited");
    await eventually("the server to see the end", () => hasSeenEnd);
  });

  test("an error whose body is cut counts by its status", async () => {
    const head = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n";
    const server = createServer((socket) =>
      socket.once("data", () => socket.write(`${head}half`, () => socket.resetAndDestroy())),
    );
    const failure = failureOf(await take(await provide(kind, await listening(server))));
    expect(failure).toMatchObject({ kind: "auth", status: 401 });
  });

  test("an error that comes with 200 and no stream counts by its code", async () => {
    const provider = await provide(kind, serve(() => Response.json(errors[kind])).url);
    expect(failureOf(await take(provider)).kind).toBe("rate_limited");
  });

  test("a redirect is not followed: no other host hears of the call", async () => {
    const other = serve(whole);
    const target = `${other.url}/elsewhere?secret=1`;
    const server = serve(() => new Response(null, { status: 307, headers: { location: target } }));
    const provider = await provide(kind, server.url, { key: "sk-planted-1234" });
    const failure = failureOf(await take(provider));
    expect(failure).toMatchObject({ kind: "not_found", status: 307 });
    expect(failure.message).toContain(`${other.url}/elsewhere;`);
    expect(other.requests).toEqual([]);
  });

  test("the key goes in the vendor's own header, and user-info does not go beside it", async () => {
    const server = serve(whole);
    await take(await provide(kind, server.url, { key: "sk-planted-1234", userInfo: "ann:pässword" }));
    expect(sentKeys(server)).toEqual(
      {
        claude: { "x-api-key": "sk-planted-1234" },
        gemini: { "x-goog-api-key": "sk-planted-1234" },
        openai: { authorization: "Bearer sk-planted-1234" },
      }[kind],
    );
  });

  test("without a key no key is sent, whatever the environment holds", async () => {
    const names = ["ANTHROPIC_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY", "GEMINI_API_KEY", "OPENAI_API_KEY"];
    const before = names.map((name) => [name, process.env[name]] as const);
    for (const name of names) process.env[name] = "sk-of-the-environment";
    try {
      const server = serve(whole);
      await take(await provide(kind, server.url));
      expect(sentKeys(server)).toEqual({});
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });

  test("without a key user-info goes as HTTP Basic, and is not told on", async () => {
    const server = serve((request) =>
      Response.json({ error: { message: request.headers.get("authorization") } }, { status: 401 }),
    );
    const taken = await take(await provide(kind, server.url, { userInfo: "ann:pässword" }));
    const credentials = Buffer.from("ann:pässword").toString("base64");
    expect(sentKeys(server)).toEqual({ authorization: `Basic ${credentials}` });
    const { message } = failureOf(taken);
    expect(message).toContain("Basic ••••");
    expect(message).not.toContain(credentials);
  });

  test("a key that no header can carry is auth, without a call and without the key", async () => {
    const server = serve(whole);
    const failure = failureOf(await take(await provide(kind, server.url, { key: "sk\nplanted" })));
    expect(failure.kind).toBe("auth");
    expect(failure.message).not.toContain("planted");
    expect(server.requests).toEqual([]);
  });

  test("Retry-After may be a date", async () => {
    const headers = { "retry-after": "Sun, 01 Mar 2026 12:01:30 GMT" };
    const provider = await provide(kind, serve(() => new Response("busy", { status: 529, headers })).url);
    expect(failureOf(await take(provider))).toMatchObject({
      kind: "rate_limited",
      status: 529,
      retryAfterMs: 90_000,
    });
  });

  test("what a vendor says is told in one line of at most 500 characters", async () => {
    const provider = await provide(
      kind,
      serve(() => new Response(`a\n${"x".repeat(5000)}`, { status: 500 })).url,
    );
    const { message } = failureOf(await take(provider));
    expect(message).toMatch(/^500 from \S+: a x{498}…$/);
  });

  test("a server that is silent after its headers is ended by an abort, and sees it", async () => {
    let hasSeenEnd = false;
    const server = serve((request) => {
      request.signal.addEventListener("abort", () => (hasSeenEnd = true));
      const body = new ReadableStream({ start: (controller) => controller.enqueue(sse(begin)) });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
    const abort = new AbortController();
    const provider = await provide(kind, server.url);
    const taken = await take(provider, { signal: abort.signal }, { onPart: () => abort.abort() });
    expect(taken.parts).toEqual([{ type: "text", text: "Half a" }]);
    await eventually("the server to see the end", () => hasSeenEnd);
  });

  test("a reader that goes away ends the request", async () => {
    let hasSeenEnd = false;
    const server = serve((request) => {
      request.signal.addEventListener("abort", () => (hasSeenEnd = true));
      const body = new ReadableStream({ start: (controller) => controller.enqueue(sse(begin)) });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
    const provider = await provide(kind, server.url);
    const request = {
      session: "s",
      system: "",
      turns: [],
      content: "hello",
      signal: new AbortController().signal,
      onActivity: () => undefined,
    };
    for await (const part of provider.call(request)) {
      expect(part).toEqual({ type: "text", text: "Half a" });
      break;
    }
    await eventually("the server to see the end", () => hasSeenEnd);
  });

  test("a connection that is reset before the answer is overloaded", async () => {
    const server = createServer((socket) => socket.once("data", () => socket.resetAndDestroy()));
    const failure = failureOf(await take(await provide(kind, await listening(server))));
    expect(failure.kind).toBe("overloaded");
    expect(failure.message).toContain("the connection was cut");
  });

  test("a door that is shut is unreachable, and says where", async () => {
    const server = serve(whole);
    await server.stop();
    const failure = failureOf(await take(await provide(kind, server.url)));
    expect(failure.kind).toBe("unreachable");
    expect(failure.message).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/v1(?:beta)? cannot be reached .*: connection refused$/,
    );
  });

  test("a server that does not speak TLS where it should is unreachable", async () => {
    const server = serve(whole);
    const failure = failureOf(await take(await provide(kind, server.url.replace("http:", "https:"))));
    expect(failure.kind).toBe("unreachable");
  });

  test("a turn that was aborted before makes no call", async () => {
    const server = serve(whole);
    const taken = await take(await provide(kind, server.url), { signal: AbortSignal.abort() });
    expect(taken.parts).toEqual([]);
    expect(server.requests).toEqual([]);
  });

  test("a temperature is sent where one is set, and only there", async () => {
    const server = serve(whole);
    await take(await provide(kind, server.url));
    await take(await provide(kind, server.url, { temperature: 0.25 }));
    const [without, withOne] = server.requests.map(({ body }) => body);
    expect(without).not.toContain("temperature");
    expect(withOne).toContain('"temperature":0.25');
  });
});

test("a finish that is the vendor's own word is told as it is", async () => {
  const { begin } = scripts.openai;
  const events = [...begin, { id: "c1", choices: [{ index: 0, delta: {}, finish_reason: "eos" }] }];
  const provider = await provide("openai", serve(() => streamed(sse(events, true))).url);
  expect(endOf(await take(provider))).toEqual({ type: "end", finish: "eos", usage: null });
});

test.each([["error"], [""], [null]])("finish_reason %p is no proper end", async (finish_reason) => {
  const events = [...scripts.openai.begin, { id: "c1", choices: [{ index: 0, delta: {}, finish_reason }] }];
  const provider = await provide("openai", serve(() => streamed(sse(events, true))).url);
  expect(failureOf(await take(provider)).kind).toBe("overloaded");
});

test("a server that counts no tokens reports no usage", async () => {
  const { begin } = scripts.openai;
  const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  const last = { id: "c1", choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage };
  const provider = await provide("openai", serve(() => streamed(sse([...begin, last], true))).url);
  expect(endOf(await take(provider)).usage).toBeNull();
});

test("a finish for what the reply holds is content_filter", async () => {
  const { begin } = scripts.gemini;
  const provider = await provide(
    "gemini",
    serve(() => streamed(sse([...begin, { candidates: [{ finishReason: "SAFETY", index: 0 }] }]))).url,
  );
  expect(endOf(await take(provider)).finish).toBe("content_filter");
});

test("OpenRouter's finish_reason error is a failure, with what it says", async () => {
  const { begin } = scripts.openai;
  const last = {
    id: "c1",
    error: { code: 502, message: "Provider disconnected" },
    choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }],
  };
  const provider = await provide("openai", serve(() => streamed(sse([...begin, last], true))).url);
  const failure = failureOf(await take(provider));
  expect(failure).toMatchObject({ kind: "overloaded", status: 502 });
  expect(failure.message).toContain("Provider disconnected");
});

test("OpenAI itself is told the limit of output by the name that its newer models take", async () => {
  const bodies: string[] = [];
  const fake = Object.assign(
    async (_input: unknown, init?: RequestInit) => {
      bodies.push(await new Response(init?.body).text());
      return streamed(sse(scripts.openai.finish, true));
    },
    { preconnect: globalThis.fetch.preconnect },
  );
  const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "hello" }] }];
  for (const endpoint of ["https://api.openai.com", "https://example.org/v1"]) {
    await openaiWire(configOf("openai", { endpoint })).model(fake).doStream({ prompt, maxOutputTokens: 100 });
  }
  expect(bodies.map((body) => /"(\w+)":100/.exec(body)?.[1])).toEqual([
    "max_completion_tokens",
    "max_tokens",
  ]);
});

async function listening(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => new Promise((resolve) => server.close(() => resolve())));
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `http://127.0.0.1:${address.port}`;
}
