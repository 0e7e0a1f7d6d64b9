import { sha256 } from "#platform/hash";
import { SegueError } from "../core/errors.ts";
import { pagePaths } from "./routes/dashboard.ts";

/** How a request came in: over TCP, or over the socket in the data folder, which only this user can open. */
export type Transport = "tcp" | "socket";

/** What holds no data and is served without a token. */
const openPaths = new Set(["/healthz", "/readyz", "/openapi.json", ...pagePaths]);

/**
 * Throws where a request may not be answered (contract section 5, "Access"): with a token the bearer token alone
 * counts; without one, only what a program or page of this very machine and origin sends. Pure but for the clock
 * of `timingSafeEqual`.
 */
export function requireAccess(request: Request, transport: Transport, token: string | undefined): void {
  if (transport === "socket") return;
  if (token !== undefined) {
    if (!openPaths.has(new URL(request.url).pathname)) requireToken(request, token);
    return;
  }
  const host = request.headers.get("Host") ?? "";
  if (!isLoopbackHost(host))
    throw new SegueError(
      "forbidden_host",
      "without server.token only localhost and loopback addresses are answered",
      {
        hint: "ask http://127.0.0.1, or set server.token",
      },
    );
  requireOwnOrigin(request, host);
}

/** Compared in constant time, and by hash, so that the length tells nothing either. */
function requireToken(request: Request, token: string): void {
  const [, given] = /^Bearer +(\S+)$/i.exec(request.headers.get("Authorization") ?? "") ?? [];
  // 1. Loaded when a token is first asked for: few daemons have one, and it takes a tenth of a start.
  const { timingSafeEqual } = process.getBuiltinModule("node:crypto");
  const digest = (text: string): Buffer => Buffer.from(sha256(text, "hex"));
  if (given === undefined || !timingSafeEqual(digest(given), digest(token)))
    throw new SegueError("unauthorized", "this daemon wants its token", {
      hint: "send `Authorization: Bearer TOKEN`",
    });
}

/** A host of this machine's own: a name that a foreign page could be rebound to is none. */
function isLoopbackHost(host: string): boolean {
  const [, name] = /^(\[[0-9a-fA-F:.]+\]|[^:]+)(?::\d{1,5})?$/.exec(host) ?? [];
  if (name === undefined) return false;
  const plain = name.toLowerCase();
  return plain === "localhost" || plain === "[::1]" || /^127(\.\d{1,3}){3}$/.test(plain);
}

function requireOwnOrigin(request: Request, host: string): void {
  const origin = request.headers.get("Origin");
  if (origin !== null && origin !== `http://${host}`) throw foreign();
  const site = request.headers.get("Sec-Fetch-Site");
  if (site === null || site === "same-origin" || site === "none") return;
  const isNavigation =
    request.method === "GET" &&
    request.headers.get("Sec-Fetch-Mode") === "navigate" &&
    request.headers.get("Sec-Fetch-Dest") === "document";
  if (!isNavigation) throw foreign();
}

function foreign(): SegueError {
  return new SegueError("forbidden_origin", "pages of other origins may not use this daemon");
}
