import type { FailureKind } from "../core/events.ts";

/** Codes of Bun and Node for what fails before a server was spoken to: name, way, door, certificate. */
const unreachable =
  /^(?:ENOTFOUND|EAI_\w+|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EPROTO|EADDRNOTAVAIL|ConnectionRefused|FailedToOpenSocket|UND_ERR_CONNECT_TIMEOUT)$|CERT|ISSUER|SIGNATURE|^ERR_(?:TLS|SSL)_/;

/** Deno gives no codes (2.9.6, measured): what it says of the same faults, the narrower ones first. */
const toldByDeno: readonly { words: RegExp; code: string }[] = [
  { words: /client error \(Connect\): dns error/, code: "ENOTFOUND" },
  { words: /client error \(Connect\): tcp connect error: Connection refused/, code: "ECONNREFUSED" },
  { words: /client error \(Connect\): tcp connect error/, code: "EHOSTUNREACH" },
  { words: /client error \(Connect\)/, code: "EPROTO" },
  { words: /Connection reset by peer|^error reading a body from connection/, code: "ECONNRESET" },
];

/** A fault of the connection: what it counts as, and what the platform says about it. */
export interface ConnectionFault {
  kind: Extract<FailureKind, "unreachable" | "overloaded">;
  text: string;
}

/** What a fault thrown by fetch, or while its body was read, counts as: a connection that was cut is `overloaded`. */
export function connectionFault(thrown: unknown): ConnectionFault {
  const codes = [...codesOf(thrown)];
  const code = codes.find((code) => unreachable.test(code));
  if (code !== undefined) return { kind: "unreachable", text: inWords(code) ?? textOf(thrown) };
  return {
    kind: "overloaded",
    text: codes.includes("ECONNRESET") ? "the connection was cut" : textOf(thrown),
  };
}

/** The codes of an error and of its causes, outermost first. */
function* codesOf(thrown: unknown): Generator<string> {
  const seen = new Set<unknown>();
  for (let error = thrown; error instanceof Error && !seen.has(error); error = error.cause) {
    seen.add(error);
    if ("code" in error && typeof error.code === "string") yield error.code;
    const { message } = error;
    const told = toldByDeno.find(({ words }) => words.test(message));
    if (told) yield told.code;
  }
}

function inWords(code: string): string | undefined {
  if (code === "ECONNREFUSED" || code === "ConnectionRefused") return "connection refused";
  if (code === "ENOTFOUND") return "its name is not known";
  if (code === "EPROTO") return "the TLS handshake failed";
  return undefined;
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
