import type { FailureKind } from "../core/events.ts";
import type { VendorError } from "./vendor-error.ts";

/** What an answer that is no success, or an error inside a stream, counts as. */
export interface Verdict {
  kind: FailureKind;
  /** The HTTP status, or the one that the code inside a stream stands for. */
  status?: number;
}

/** The status that a word of an error inside a stream stands for: Anthropic's, OpenAI's and Google's own tables. */
const statusOfWord: ReadonlyMap<string, number> = new Map(
  Object.entries({
    invalid_request_error: 400,
    authentication_error: 401,
    billing_error: 402,
    permission_error: 403,
    not_found_error: 404,
    request_too_large: 413,
    rate_limit_error: 429,
    api_error: 500,
    timeout_error: 504,
    overloaded_error: 529,

    context_length_exceeded: 400,
    invalid_api_key: 401,
    model_not_found: 404,
    insufficient_quota: 429,
    rate_limit_exceeded: 429,
    server_error: 500,
    internal_error: 500,
    internal_server_error: 500,
    service_unavailable: 503,
    server_overloaded: 503,
    engine_overloaded: 503,

    invalid_argument: 400,
    failed_precondition: 400,
    out_of_range: 400,
    unauthenticated: 401,
    permission_denied: 403,
    not_found: 404,
    aborted: 409,
    resource_exhausted: 429,
    internal: 500,
    unimplemented: 501,
    unavailable: 503,
    deadline_exceeded: 504,
  }),
);

/** Words that say more than the status beside them. */
const kindOfWord: ReadonlyMap<string, FailureKind> = new Map(
  Object.entries<FailureKind>({
    insufficient_quota: "auth",
    api_key_invalid: "auth",
    context_length_exceeded: "context_overflow",
    exceed_context_size_error: "context_overflow",
    request_too_large: "context_overflow",
    model_not_found: "not_found",
    invalid_model: "not_found",
  }),
);

/** How Anthropic, Google, OpenAI, OpenRouter, vLLM, llama.cpp and Ollama say that a prompt is too long. */
const overflowTexts = [
  /prompt (?:is )?too long/i,
  /\bmaximum (?:context|prompt) length\b/i,
  /context_length_exceeded/i,
  /\bexceed(?:s|ed|ing)?\b.{0,60}\bcontext (?:length|size|window|limit)\b/i,
  /input token count\b.*\bexceeds the maximum/i,
  /\binput is too long\b/i,
];

/** How they say, with a 400, that they do not know the model. */
const unknownModelTexts = [
  /\bmodel\b[^.!?]{0,160}?\b(?:not found|(?:does )?not exist)\b/i,
  /\b(?:unknown|invalid|no such) model\b/i,
  /\bnot a valid model\b/i,
  /\bunexpected model name\b/i,
];

/** A rate limit that this one message can never pass, however long it waits. */
const neverPasses = /\brequest too large for\b/i;

/**
 * The table of contract section 4. `status` is that of the answer; undefined for an error inside a stream, which
 * then counts by its code. An error that cannot be placed is `overloaded`: it is tried again.
 */
export function classify(status: number | undefined, error: VendorError | undefined): Verdict {
  const counted = status ?? error?.status ?? statusOfWords(error);
  const kind = kindOfError(counted, error) ?? kindOfStatus(counted);
  return counted === undefined ? { kind } : { kind, status: counted };
}

function statusOfWords(error: VendorError | undefined): number | undefined {
  return error?.words.map((word) => statusOfWord.get(word)).find((status) => status !== undefined);
}

/** What the error's own words and text say, where they say more than the status. */
function kindOfError(status: number | undefined, error: VendorError | undefined): FailureKind | undefined {
  if (error === undefined) return undefined;
  const { words, message } = error;
  const isBadRequest = status === undefined || status === 400 || status === 413 || status === 422;
  if (status === 429 && neverPasses.test(message)) return "context_overflow";
  const named = words.map((word) => kindOfWord.get(word)).find((kind) => kind !== undefined);
  // The words of 429 and 5xx are about the server, but for a quota that is used up.
  if (named !== undefined && (named === "auth" || isBadRequest || status === 404)) return named;
  if (isBadRequest && /credit balance is too low|api key not valid/i.test(message)) return "auth";
  const maySpeakOfLength = isBadRequest || status === 500;
  if (maySpeakOfLength && overflowTexts.some((pattern) => pattern.test(message))) return "context_overflow";
  if (isBadRequest && unknownModelTexts.some((pattern) => pattern.test(message))) return "not_found";
  return undefined;
}

function kindOfStatus(status: number | undefined): FailureKind {
  if (status === undefined || status < 300) return "overloaded";
  // A redirect is not followed: what is wanted is not at this address.
  if (status < 400) return "not_found";
  switch (status) {
    case 429:
    case 503:
    case 529:
      return "rate_limited";
    case 401:
    case 402:
    case 403:
      return "auth";
    case 404:
    case 405:
      return "not_found";
    case 413:
      // What is too large is the prompt: nothing else of a request grows.
      return "context_overflow";
    case 408:
    case 409:
    case 425:
      return "overloaded";
    default:
      return status < 500 ? "invalid_request" : "overloaded";
  }
}
