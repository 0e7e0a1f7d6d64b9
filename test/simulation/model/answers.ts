import type { Document, Fault, Seen } from "../history.ts";
import { isDocument } from "./document.ts";
import type { Judge } from "./judge.ts";
import type { Asked, Requests } from "./requests.ts";
import { expect } from "./violation.ts";

/** A message that was answered with 2xx. */
export interface Promised {
  id: string;
  session: string;
  content: string | undefined;
  at: number;
}

/** A post with an Idempotency-Key that was accepted. */
interface Keyed {
  body: string;
  ids: readonly string[];
  from: number;
}

type Answer = Extract<Seen, { kind: "answer" }>;

/** Within this time, what failed is tried again. */
const retriedMs = 5000;

/** What may be answered to each call (contract section 5); 503 and 507 are looked at apart. */
const legal: readonly { method: string; path: RegExp; statuses: readonly number[] }[] = [
  { method: "POST", path: /^\/api\/sessions$/, statuses: [201, 400, 409, 413, 415, 422] },
  { method: "PATCH", path: /^\/api\/sessions\/[^/]+$/, statuses: [200, 400, 404, 413, 415, 422] },
  { method: "DELETE", path: /^\/api\/sessions\/[^/]+$/, statuses: [204, 400, 404] },
  { method: "POST", path: /^\/api\/sessions\/[^/]+\/restart$/, statuses: [200, 400, 404, 422] },
  {
    method: "POST",
    path: /^\/api\/sessions\/[^/]+\/messages$/,
    statuses: [200, 202, 400, 409, 413, 415, 422, 429],
  },
  { method: "POST", path: /^\/api\/messages\/[^/]+\/cancel$/, statuses: [200, 404, 409] },
  { method: "POST", path: /^\/api\/messages\/[^/]+\/retry$/, statuses: [202, 404, 409, 429] },
  { method: "POST", path: /^\/api\/sessions\/[^/]+\/retry$/, statuses: [202, 404, 429] },
  { method: "PATCH", path: /^\/api\/settings$/, statuses: [200, 400, 403, 409, 412, 415, 422] },
  { method: "PUT", path: /^\/api\/settings$/, statuses: [200, 400, 403, 409, 412, 415, 422] },
  { method: "POST", path: /^\/api\/settings\/rollback$/, statuses: [200, 400, 403, 404, 409, 422] },
  { method: "POST", path: /^\/api\/settings\/reload$/, statuses: [200, 422] },
  { method: "POST", path: /^\/api\/settings\/apply$/, statuses: [200, 409, 422] },
  { method: "POST", path: /^\/api\/settings\/release$/, statuses: [200] },
  { method: "POST", path: /^\/api\/daemon\/(restart|stop)$/, statuses: [202] },
  {
    method: "GET",
    path: /^\/api\/(sessions|messages)\/[^/]+(\/messages|\/transcript)?$/,
    statuses: [200, 400, 404],
  },
  { method: "GET", path: /^\/(api\/|healthz|readyz|metrics)/, statuses: [200] },
];

/** Judges answers: their status, what was promised with them, posts that are sent again (sections 1.1 and 5). */
export class Answers implements Judge {
  readonly #requests: Requests;
  readonly #promised = new Map<string, Promised>();
  readonly #contents = new Map<string, string>();
  readonly #keyed = new Map<string, Keyed>();
  /** A cancel of these was answered with 200. */
  readonly cancelled = new Set<string>();
  #hadStoreFault = false;
  readonly #storeFaults = new Set<Fault>();
  #storeFaultAt = -Infinity;
  /** The last one has no end while a fault is there. */
  readonly #storeFailures: { from: number; to: number }[] = [];
  #wasFull = false;
  #isStopping = false;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Messages that were answered with 2xx. */
  promised(): Iterable<Promised> {
    return this.#promised.values();
  }

  /** What a message says, as far as it was ever shown. */
  contentOf = (message: string): string | undefined => this.#contents.get(message);

  /** Whether the store ever failed in this life. */
  hadStoreFault = (): boolean => this.#hadStoreFault;

  /** Whether the store fails, or is slow, at a moment, or did just before: what failed is tried again a little later. */
  isStoreFailing = (at: number): boolean => this.#storeFaults.size > 0 || at - this.#storeFaultAt < retriedMs;

  /** Whether it did so at any moment of a span. */
  wasStoreFailing = (from: number, to: number): boolean =>
    this.#storeFailures.some((failure) => failure.from <= to && failure.to >= from);

  see(seen: Seen): void {
    switch (seen.kind) {
      case "fault":
        this.#follow(seen.fault, seen.phase, seen.at);
        this.#wasFull ||= seen.fault === "store full";
        return;
      case "boot":
        this.#isStopping = false;
        return;
      case "stop":
        this.#isStopping = true;
        return;
      case "request":
        if (seen.path === "/api/daemon/stop") this.#isStopping = true;
        return;
      case "answer":
        return this.#answered(seen);
      case "stored":
        for (const { id, content } of seen.messages) this.#contents.set(id, content);
        return;
      default:
    }
  }

  #follow(fault: Fault, phase: "begins" | "ends" | "once", at: number): void {
    if (!fault.startsWith("store") && fault !== "commit fails") return;
    this.#hadStoreFault = true;
    this.#storeFaultAt = at;
    if (phase === "begins") this.#storeFaults.add(fault);
    else this.#storeFaults.delete(fault);
    const to = this.#storeFaults.size > 0 ? Infinity : at + retriedMs;
    const last = this.#storeFailures.at(-1);
    if (last && last.to >= at) last.to = to;
    else this.#storeFailures.push({ from: at, to });
  }

  #answered(answer: Answer): void {
    const asked = this.#requests.find(answer.request);
    if (!asked) return;
    this.#expectLegal(answer, asked);
    if (answer.status >= 300) return this.#refused(answer, asked);
    if (asked.method === "POST" && asked.path.endsWith("/messages")) this.#accepted(answer, asked);
    else if (asked.method === "POST" && asked.path.endsWith("/cancel")) {
      const [, id = ""] = /^\/api\/messages\/([^/]+)\//.exec(asked.path) ?? [];
      this.cancelled.add(id);
    }
  }

  #expectLegal({ status, body, at }: Answer, { method, path, from }: Asked): void {
    const code = isDocument(body) && typeof body["code"] === "string" ? body["code"] : "";
    const name = `${method} ${path}`;
    if (status === 507)
      return expect(this.#wasFull, "answers", () => `${name} was answered 507, the disk was never full`);
    if (status === 503) {
      const isStarting = code === "starting" || path === "/readyz";
      const isExcused = isStarting || (code === "storage" ? this.#hadStoreFault : this.#isStopping);
      return expect(isExcused, "answers", () => `${name} was answered 503 ${code}, nothing stood in the way`);
    }
    if (status === 404 && method === "POST" && path.endsWith("/messages"))
      return this.#expectDeleted(path, from, at);
    const rule = legal.find((each) => each.method === method && each.path.test(path));
    const isLegal = rule ? rule.statuses.includes(status) : status < 500;
    expect(isLegal, "answers", () => `${name} was answered ${status} ${code}`);
    const isSaid = status < 400 || (isDocument(body) && body["status"] === status && code !== "");
    expect(isSaid, "answers", () => `${name} was answered ${status} without saying why`);
  }

  /** A post that was accepted may find its session deleted when it is answered. */
  #expectDeleted(path: string, from: number, at: number): void {
    const session = path.replace(/\/messages$/, "");
    const isDeleted = this.#requests.between("DELETE", session, from, at).length > 0;
    expect(isDeleted, "answers", () => `POST ${path} was answered 404, nobody deleted its session`);
  }

  /** Section 1.1: from here on it is kept. */
  #accepted(answer: Answer, asked: Asked): void {
    const { body, at } = answer;
    const [, session = ""] = /^\/api\/sessions\/([^/]+)\/messages$/.exec(asked.path) ?? [];
    const shown = messagesOf(body);
    const contents = contentsOf(asked.body);
    for (const [index, { id, content }] of shown.entries()) {
      const said = content ?? contents[index];
      if (said !== undefined) this.#contents.set(id, said);
      this.#promised.set(id, { id, session: decodeURIComponent(session), content: contents[index], at });
    }
    const isCounted = shown.length === Math.max(1, contents.length);
    expect(
      isCounted,
      "accepted means kept",
      () => `${contents.length} were posted, ${shown.length} are answered`,
    );
    this.#expectSameByKey(
      asked,
      shown.map(({ id }) => id),
      answer,
    );
  }

  /** Section 5, `Idempotency-Key`: a repeat gets the same message. */
  #expectSameByKey(asked: Asked, ids: readonly string[], { status, headers, at }: Answer): void {
    const key = headerOf(asked.headers, "idempotency-key");
    if (key === undefined) return;
    const name = `${asked.path} ${key}`;
    const before = this.#keyed.get(name);
    const body = JSON.stringify(asked.body);
    if (!before || this.#mayBeForgotten(before, asked, at))
      return void this.#keyed.set(name, { body, ids, from: asked.from });
    expect(before.body === body, "answers", () => `${name} took other content under the same key`);
    const isSame = before.ids.join() === ids.join();
    expect(isSame, "exactly one outcome", () => `${name} made ${ids.join()} beside ${before.ids.join()}`);
    const isSaid = status === 200 && headerOf(headers, "idempotency-replayed") === "true";
    expect(isSaid, "answers", () => `${name} was answered ${status} without saying that it is a repeat`);
  }

  #refused({ body, status }: Answer, asked: Asked): void {
    const key = headerOf(asked.headers, "idempotency-key");
    if (key === undefined || !isDocument(body) || body["code"] !== "idempotency_conflict") return;
    const before = this.#keyed.get(`${asked.path} ${key}`);
    const isConflict = before?.body !== JSON.stringify(asked.body);
    expect(isConflict, "answers", () => `${asked.path} ${key} was answered ${status} for the same content`);
  }

  /** With a session go the keys of its messages; whoever deletes it may do so before or after either post. */
  #mayBeForgotten(before: { from: number }, { path }: Asked, at: number): boolean {
    return this.#requests.between("DELETE", path.replace(/\/messages$/, ""), before.from, at).length > 0;
  }
}

function messagesOf(body: unknown): { id: string; content: string | undefined }[] {
  if (!isDocument(body)) return [];
  const items: unknown = body["items"];
  const shown: unknown[] = Array.isArray(items) ? items : [body];
  return shown
    .filter(isDocument)
    .flatMap(({ id, content }: Document) =>
      typeof id === "string" ? [{ id, content: typeof content === "string" ? content : undefined }] : [],
    );
}

/** What was posted: one content, or a list of them. */
function contentsOf(body: unknown): string[] {
  if (isDocument(body)) return typeof body["content"] === "string" ? [body["content"]] : [];
  if (Array.isArray(body)) return body.flatMap((each) => contentsOf(each));
  if (typeof body !== "string") return [];
  if (!body.startsWith("{")) return [body];
  return body
    .split("\n")
    .filter((line) => line.trim() !== "")
    .flatMap((line) => contentsOf(JSON.parse(line)));
}

function headerOf(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
}
