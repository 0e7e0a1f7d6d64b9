import type { Seen } from "../history.ts";
import { type Wishes, isDocument, noWishes } from "./document.ts";
import type { Judge } from "./judge.ts";

/** Something that was asked for, and the span in which it may have been done. */
export interface Asked {
  request: number;
  method: string;
  path: string;
  isDryRun: boolean;
  headers: Readonly<Record<string, string>>;
  body: unknown;
  from: number;
  /** Infinity while nobody has answered. */
  to: number;
  status: number | undefined;
}

interface WishSpan {
  /** Undefined: not known, as long as an answer is to come. */
  wishes: Wishes | undefined;
  from: number;
  to: number;
}

/** What was asked for over HTTP, and what sessions may set for themselves because of it. */
export class Requests implements Judge {
  readonly #asked = new Map<number, Asked>();
  readonly #underWay = new Set<Asked>();
  readonly #byPath = new Map<string, Asked[]>();
  readonly #wishes = new Map<string, WishSpan[]>();

  see(seen: Seen): void {
    if (seen.kind === "request") this.#begun(seen);
    else if (seen.kind === "answer") this.#answered(seen.request, seen.at, seen.status, seen.body);
    else if (seen.kind === "unanswered" && seen.why === "crash") this.#left(seen.request, seen.at);
    else if (seen.kind === "stored")
      for (const { id, overrides } of seen.sessions) this.#learn(id, overrides, seen.at);
  }

  /** What was asked for by this number. */
  find(request: number): Asked | undefined {
    return this.#asked.get(request);
  }

  /** What was asked for with this method and path and may have been done in a span. */
  between(method: string, path: string, from: number, to: number): Asked[] {
    const asked = this.#byPath.get(`${method} ${path}`) ?? [];
    return asked.filter((each) => each.from <= to && each.to >= from);
  }

  /** What a session may have set for itself in a span; undefined where that cannot be known. */
  wishesBetween(session: string, from: number, to: number): Wishes[] | undefined {
    const spans = this.#wishes.get(session);
    if (!spans) return [noWishes];
    const overlapping = spans.filter((span) => span.from <= to && span.to >= from);
    const known = overlapping.flatMap((span) => span.wishes ?? []);
    return known.length === overlapping.length ? known : undefined;
  }

  #begun({ request, method, path, headers, body, at }: Extract<Seen, { kind: "request" }>): void {
    const [bare = path] = path.split("?");
    const isDryRun = path.includes("dryRun");
    const asked = {
      request,
      method,
      path: bare,
      isDryRun,
      headers,
      body,
      from: at,
      to: Infinity,
      status: undefined,
    };
    this.#asked.set(request, asked);
    this.#underWay.add(asked);
    const name = `${method} ${bare}`;
    const same = this.#byPath.get(name);
    if (same) same.push(asked);
    else this.#byPath.set(name, [asked]);
    const session = sessionWished(asked);
    if (session !== undefined) this.#put(session, undefined, at);
  }

  #answered(request: number, at: number, status: number, body: unknown): void {
    const asked = this.#asked.get(request);
    if (!asked) return;
    this.#underWay.delete(asked);
    asked.to = at;
    asked.status = status;
    const session = sessionWished(asked);
    if (session === undefined) return;
    const shown = isDocument(body) ? body["overrides"] : undefined;
    if (status < 300 && isDocument(shown)) this.#learn(session, wishesOf(shown), at);
  }

  #left(request: number, at: number): void {
    const asked = this.#asked.get(request);
    if (!asked) return;
    asked.to = at;
    this.#underWay.delete(asked);
  }

  /** What it is now; while another request about it is under way it is not known. */
  #learn(session: string, wishes: Wishes, at: number): void {
    for (const asked of this.#underWay) if (sessionWished(asked) === session) return;
    this.#put(session, wishes, at);
  }

  #put(session: string, wishes: Wishes | undefined, at: number): void {
    const spans = this.#wishes.get(session) ?? [{ wishes: noWishes, from: 0, to: Infinity }];
    const last = spans.at(-1);
    if (last && wishes && last.wishes && isEqual(last.wishes, wishes)) return;
    if (last) last.to = at;
    spans.push({ wishes, from: at, to: Infinity });
    this.#wishes.set(session, spans);
  }
}

/** The session whose wishes a request may change. */
function sessionWished({ method, path, body }: Asked): string | undefined {
  const [, session] = /^\/api\/sessions\/([^/]+)$/.exec(path) ?? [];
  if (session !== undefined && (method === "PATCH" || method === "DELETE"))
    return decodeURIComponent(session);
  if (method !== "POST" || path !== "/api/sessions" || !isDocument(body)) return undefined;
  return typeof body["id"] === "string" ? body["id"] : undefined;
}

function wishesOf(shown: { readonly [key: string]: unknown }): Wishes {
  const { provider, model, mode } = shown;
  return {
    provider: typeof provider === "string" ? provider : null,
    model: typeof model === "string" ? model : null,
    mode: mode === "batch" || mode === "single" ? mode : null,
  };
}

function isEqual(one: Wishes, other: Wishes): boolean {
  return one.provider === other.provider && one.model === other.model && one.mode === other.mode;
}
