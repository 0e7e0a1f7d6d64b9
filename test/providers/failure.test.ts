import { describe, expect, test } from "bun:test";
import type { FailureKind } from "../../src/core/events.ts";
import { connectionFault, type ConnectionFault } from "../../src/providers/connection.ts";
import { classify } from "../../src/providers/failure.ts";
import { errorInBody, errorInEvent } from "../../src/providers/vendor-error.ts";

describe("the status of an answer", () => {
  const table: readonly [status: number, kind: FailureKind][] = [
    [429, "rate_limited"],
    [503, "rate_limited"],
    [529, "rate_limited"],
    [500, "overloaded"],
    [501, "overloaded"],
    [502, "overloaded"],
    [504, "overloaded"],
    [520, "overloaded"],
    [408, "overloaded"],
    [409, "overloaded"],
    [425, "overloaded"],
    [401, "auth"],
    [402, "auth"],
    [403, "auth"],
    [404, "not_found"],
    [405, "not_found"],
    [301, "not_found"],
    [307, "not_found"],
    [413, "context_overflow"],
    [400, "invalid_request"],
    [406, "invalid_request"],
    [418, "invalid_request"],
    [422, "invalid_request"],
  ];
  test.each(table)("%i counts as %s", (status, kind) => {
    expect(classify(status, undefined)).toEqual({ kind, status });
    expect(classify(status, errorInBody('{"error":{"message":"Something."}}'))).toEqual({ kind, status });
  });
});

describe("what the body says beside the status", () => {
  const table: readonly [who: string, status: number, body: unknown, kind: FailureKind][] = [
    [
      "OpenAI, quota used up",
      429,
      {
        error: {
          message: "You exceeded your current quota",
          type: "insufficient_quota",
          code: "insufficient_quota",
        },
      },
      "auth",
    ],
    [
      "OpenAI, rate limit",
      429,
      { error: { message: "Rate limit reached", type: "requests", code: "rate_limit_exceeded" } },
      "rate_limited",
    ],
    [
      "OpenAI, one request above the limit of a minute",
      429,
      {
        error: {
          message: "Request too large for gpt-4o: Limit 10000, Requested 20000",
          type: "tokens",
          code: "rate_limit_exceeded",
        },
      },
      "context_overflow",
    ],
    [
      "Google, bad key",
      400,
      {
        error: {
          code: 400,
          message: "API key not valid. Please pass a valid API key.",
          status: "INVALID_ARGUMENT",
          details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" }],
        },
      },
      "auth",
    ],
    [
      "Google, bad key, in a list",
      400,
      [{ error: { code: 400, message: "no", details: [{ "@type": "x" }, { reason: "API_KEY_INVALID" }] } }],
      "auth",
    ],
    [
      "Google, prompt too long",
      400,
      {
        error: {
          code: 400,
          message: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
          status: "INVALID_ARGUMENT",
        },
      },
      "context_overflow",
    ],
    [
      "Google, bad argument",
      400,
      { error: { code: 400, message: "Invalid value", status: "INVALID_ARGUMENT" } },
      "invalid_request",
    ],
    [
      "Anthropic, prompt too long",
      400,
      {
        type: "error",
        error: {
          type: "invalid_request_error",
          message: "prompt is too long: 210000 tokens > 200000 maximum",
        },
      },
      "context_overflow",
    ],
    [
      "Anthropic, input and output together",
      400,
      {
        type: "error",
        error: {
          type: "invalid_request_error",
          message: "input length and `max_tokens` exceed context limit: 1 + 2 > 2",
        },
      },
      "context_overflow",
    ],
    [
      "Anthropic, too large",
      413,
      { type: "error", error: { type: "request_too_large", message: "Request exceeds the maximum size" } },
      "context_overflow",
    ],
    [
      "Anthropic, no credit",
      400,
      {
        type: "error",
        error: {
          type: "invalid_request_error",
          message: "Your credit balance is too low to access the Anthropic API.",
        },
      },
      "auth",
    ],
    [
      "Anthropic, bad request",
      400,
      { type: "error", error: { type: "invalid_request_error", message: "max_tokens: must be at least 1" } },
      "invalid_request",
    ],
    [
      "OpenAI, prompt too long",
      400,
      { error: { message: "too many", type: "invalid_request_error", code: "context_length_exceeded" } },
      "context_overflow",
    ],
    [
      "vLLM, prompt too long",
      400,
      {
        object: "error",
        message: "This model's maximum context length is 4096 tokens.",
        type: "BadRequestError",
        code: 400,
      },
      "context_overflow",
    ],
    [
      "llama.cpp, prompt too long",
      400,
      {
        error: {
          code: 400,
          message: "the request exceeds the available context size",
          type: "exceed_context_size_error",
        },
      },
      "context_overflow",
    ],
    [
      "Ollama, prompt too long",
      500,
      { error: "the input length exceeds the context length" },
      "context_overflow",
    ],
    [
      "OpenRouter, prompt too long, told by the server behind it",
      400,
      {
        error: {
          code: 400,
          message: "Provider returned error",
          metadata: { raw: '{"error":"prompt is too long"}' },
        },
      },
      "context_overflow",
    ],
    [
      "OpenRouter, unknown model",
      400,
      { error: { code: 400, message: "no/such is not a valid model ID" } },
      "not_found",
    ],
    [
      "a 400 that says the model is unknown",
      400,
      { error: { message: "The model `x-1` does not exist" } },
      "not_found",
    ],
    [
      "DeepSeek, unknown model",
      400,
      { error: { message: "Model Not Exist", type: "invalid_request_error" } },
      "not_found",
    ],
    ["a 400 with the code", 400, { error: { message: "?", code: "model_not_found" } }, "not_found"],
    ["Ollama, unknown model", 404, { error: 'model "x" not found, try pulling it first' }, "not_found"],
    [
      "a parameter that a model does not take",
      400,
      {
        error: {
          message: "Unsupported parameter: 'max_tokens' is not supported with this model.",
          code: "unsupported_parameter",
        },
      },
      "invalid_request",
    ],
    ["a 503 that speaks of context", 503, { error: { message: "maximum context length" } }, "rate_limited"],
    [
      "a property of every object as a code",
      500,
      { error: { message: "?", code: "constructor" } },
      "overloaded",
    ],
  ];
  test.each(table)("%s", (_who, status, body, kind) => {
    expect(classify(status, errorInBody(JSON.stringify(body)))).toEqual({ kind, status });
  });
});

describe("an error inside a stream counts by its code", () => {
  const anthropic = (type: string): unknown => ({ type: "error", error: { type, message: "x" } });
  const table: readonly [event: unknown, kind: FailureKind, status: number | undefined][] = [
    [anthropic("invalid_request_error"), "invalid_request", 400],
    [anthropic("authentication_error"), "auth", 401],
    [anthropic("billing_error"), "auth", 402],
    [anthropic("permission_error"), "auth", 403],
    [anthropic("not_found_error"), "not_found", 404],
    [anthropic("request_too_large"), "context_overflow", 413],
    [anthropic("rate_limit_error"), "rate_limited", 429],
    [anthropic("api_error"), "overloaded", 500],
    [anthropic("timeout_error"), "overloaded", 504],
    [anthropic("overloaded_error"), "rate_limited", 529],
    [anthropic("brand_new_error"), "overloaded", undefined],
    [{ error: { code: 429, message: "slow down" } }, "rate_limited", 429],
    [{ error: { code: "502", message: "bad gateway" } }, "overloaded", 502],
    [{ error: { code: 401, message: "no" }, choices: [{ finish_reason: "error" }] }, "auth", 401],
    [{ error: { code: "rate_limit_exceeded", message: "x" } }, "rate_limited", 429],
    [{ error: { code: "insufficient_quota", message: "x" } }, "auth", 429],
    [{ error: { code: "context_length_exceeded", message: "x" } }, "context_overflow", 400],
    [{ error: { code: "invalid_api_key", message: "x" } }, "auth", 401],
    [{ error: { code: "model_not_found", message: "x" } }, "not_found", 404],
    [{ error: { type: "server_error", message: "x" } }, "overloaded", 500],
    [{ error: { code: 503, message: "busy", status: "UNAVAILABLE" } }, "rate_limited", 503],
    [{ error: { message: "busy", status: "RESOURCE_EXHAUSTED" } }, "rate_limited", 429],
    [{ error: { message: "x", status: "PERMISSION_DENIED" } }, "auth", 403],
    [{ error: { code: 8, message: "x" } }, "overloaded", undefined],
    [{ error: "something went wrong" }, "overloaded", undefined],
    [{ object: "error", message: "x", code: 404 }, "not_found", 404],
  ];
  test.each(table)("%j", (event, kind, status) => {
    const error = errorInEvent(event);
    expect(error).toBeDefined();
    expect(classify(undefined, error)).toEqual(status === undefined ? { kind } : { kind, status });
  });

  const ordinary: readonly [event: unknown][] = [
    [{ type: "message_start", message: { usage: {} } }],
    [{ choices: [{ delta: { content: "an error" } }], error: null }],
    [{ candidates: [] }],
    ["text"],
    [null],
    [[]],
  ];
  test.each(ordinary)("%j is no error", (event) => {
    expect(errorInEvent(event)).toBeUndefined();
  });
});

describe("the message of a body", () => {
  const table: readonly [body: string, message: string | undefined][] = [
    ['{"error":{"message":"a"}}', "a"],
    ['{"error":"b"}', "b"],
    ['{"message":"c"}', "c"],
    ['{"detail":"Not Found"}', "Not Found"],
    ["plain words", "plain words"],
    ["<html><head><title>502 Bad Gateway</title></head><body>…</body></html>", "502 Bad Gateway"],
    ["<html></html>", undefined],
    ["", undefined],
    ["null", undefined],
    ['{"error":{"message":"a","metadata":{"raw":"why"}}}', "a: why"],
  ];
  test.each(table)("%s", (body, message) => {
    expect(errorInBody(body)?.message).toBe(message);
  });
});

describe("a fault of the connection", () => {
  const table: readonly [code: string, kind: ConnectionFault["kind"]][] = [
    ["ECONNREFUSED", "unreachable"],
    ["ConnectionRefused", "unreachable"],
    ["ENOTFOUND", "unreachable"],
    ["EAI_AGAIN", "unreachable"],
    ["EHOSTUNREACH", "unreachable"],
    ["EPROTO", "unreachable"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "unreachable"],
    ["CERT_HAS_EXPIRED", "unreachable"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "unreachable"],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "unreachable"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "unreachable"],
    ["ECONNRESET", "overloaded"],
    ["ETIMEDOUT", "overloaded"],
    ["EPIPE", "overloaded"],
  ];
  test.each(table)("%s counts as %s", (code, kind) => {
    const fault = Object.assign(new Error("it failed"), { code });
    expect(connectionFault(fault).kind).toBe(kind);
    expect(connectionFault(new Error("fetch failed", { cause: fault })).kind).toBe(kind);
  });

  const ofDeno: readonly [words: string, fault: ConnectionFault][] = [
    ["dns error: failed to lookup", { kind: "unreachable", text: "its name is not known" }],
    [
      "tcp connect error: Connection refused (os error 111)",
      { kind: "unreachable", text: "connection refused" },
    ],
    ["received corrupt message", { kind: "unreachable", text: "the TLS handshake failed" }],
  ];
  test.each(ofDeno)("%s, as Deno says it, counts the same", (words, fault) => {
    const text = `error sending request for url (http://vendor.test/v1): client error (Connect): ${words}`;
    expect(connectionFault(new Error("fetch failed", { cause: new Error(text) }))).toEqual(fault);
  });

  test("a connection that Deno says was cut is overloaded", () => {
    const cut: ConnectionFault = { kind: "overloaded", text: "the connection was cut" };
    const reset = new Error("Connection reset by peer (os error 104)");
    expect(connectionFault(new Error("fetch failed", { cause: reset }))).toEqual(cut);
    expect(connectionFault(new TypeError("error reading a body from connection"))).toEqual(cut);
  });

  test("anything else counts as overloaded and keeps its text", () => {
    expect(connectionFault("odd")).toEqual({ kind: "overloaded", text: "odd" });
    expect(connectionFault(new Error("odd"))).toEqual({ kind: "overloaded", text: "odd" });
  });
});
