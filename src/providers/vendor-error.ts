import * as v from "valibot";

/** What a vendor says about an error, whatever shape it says it in. */
export interface VendorError {
  /** Its code, type, status and reasons, in lower case. */
  words: readonly string[];
  /** The HTTP status that a numeric code stands for. */
  status: number | undefined;
  message: string;
}

const text = v.fallback(v.optional(v.string()), undefined);
const textOrNumber = v.fallback(v.optional(v.union([v.string(), v.number()])), undefined);

/** An error object of Anthropic, Google, OpenAI, OpenRouter, vLLM, llama.cpp and their like. */
const described = v.object({
  code: textOrNumber,
  type: text,
  status: textOrNumber,
  message: text,
  detail: text,
  /** Google's `ErrorInfo`. */
  details: v.fallback(v.optional(v.array(v.unknown())), undefined),
  /** OpenRouter hands on what the server behind it said. */
  metadata: v.fallback(v.optional(v.object({ raw: text })), undefined),
});
const reasoned = v.object({ reason: v.string() });

/** The objects an error stands in: `{error: {…}}`, `{error: "…"}`, or the error by itself. */
const wrapped = v.object({ error: v.unknown() });
const selfDeclared = v.union([
  v.object({ object: v.literal("error") }),
  v.object({ type: v.literal("error"), message: v.string() }),
]);

/** The error that one event of a stream tells of; undefined for an ordinary event. */
export function errorInEvent(event: unknown): VendorError | undefined {
  if (v.is(wrapped, event) && isSaid(event.error)) return read(event.error);
  return v.is(selfDeclared, event) ? read(event) : undefined;
}

/** What the body of an answer that is no success says; undefined where it says nothing. */
export function errorInBody(body: string): VendorError | undefined {
  const json = parse(body);
  if (json === undefined) return inText(body);
  // Google wraps the error of a stream into a list of one.
  const value: unknown = Array.isArray(json) ? json[0] : json;
  return v.is(wrapped, value) && isSaid(value.error) ? read(value.error) : read(value);
}

function isSaid(error: unknown): boolean {
  return error !== null && error !== undefined && error !== false && error !== "";
}

function read(value: unknown): VendorError | undefined {
  if (typeof value === "string") return inText(value);
  const parsed = v.safeParse(described, value);
  if (!parsed.success) return undefined;
  const { code, type, status, message, detail, details = [], metadata } = parsed.output;
  const reasons = details.filter((entry) => v.is(reasoned, entry)).map((entry) => entry.reason);
  const said = [message ?? detail, metadata?.raw].filter((part) => part !== undefined && part !== "");
  return {
    words: [code, type, status, ...reasons]
      .filter((word) => typeof word === "string")
      .map((word) => word.toLowerCase()),
    status: statusIn(code) ?? statusIn(status),
    message: said.join(": "),
  };
}

function statusIn(code: string | number | undefined): number | undefined {
  const status = typeof code === "string" && /^\d{3}$/.test(code) ? Number(code) : code;
  return typeof status === "number" && status >= 400 && status <= 599 ? status : undefined;
}

function inText(body: string): VendorError | undefined {
  const title = /<title>([^<]*)<\/title>/i.exec(body)?.[1];
  const message = (title ?? (/^\s*</.test(body) ? "" : body)).trim();
  return message === "" ? undefined : { words: [], status: undefined, message };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
