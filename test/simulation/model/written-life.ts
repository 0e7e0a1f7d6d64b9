import type { ShownMessage, ShownSession } from "../../../src/http/answers.ts";
import { shownSession } from "../../support/shown-session.ts";
import type { Document, ScriptedEnd, Seen, SeenEvent, Sight, Stored } from "../history.ts";
import { Model } from "../model.ts";

/** A time to begin with, early on a UTC day. */
const birth = Date.UTC(2030, 0, 1, 1);

/** The settings of a hand-written life where it says nothing else. */
export const settings: Document = {
  provider: "first",
  providers: {
    first: { kind: "openai", baseUrl: "http://first.test/v1", apiKey: "key-of-first", model: "one" },
    second: { kind: "openai", baseUrl: "http://second.test/v1", apiKey: "key-of-second", model: "two" },
  },
};

/** What a call is to where a life says nothing else. */
const ordinaryCall = {
  boot: 1,
  provider: "openai" as const,
  endpoint: "http://first.test/v1",
  key: "key-of-first" as string | null,
  model: "one",
  session: "a",
  system: "",
  turns: [] as readonly { role: "user" | "assistant"; content: string }[],
  content: "hello",
};

/** How a provider answers where a life says nothing else. */
export const answered: ScriptedEnd = {
  kind: "answered",
  reply: "hi",
  finish: "stop",
  usage: { inputTokens: 10, outputTokens: 5 },
};

/** Writes a life by hand, one sight after the other, with what it takes to be a whole one, and has it judged. */
export class WrittenLife {
  readonly model = new Model();
  now = birth;
  #step = 0;
  #eventId = 0;
  #request = 0;
  #call = 0;

  /** A daemon that serves under these settings, and a reader from the beginning. */
  static serving(document: Document = settings): WrittenLife {
    const life = new WrittenLife();
    life.see({ kind: "born", seed: 1, document });
    life.see({ kind: "boot", boot: 1, phase: "asked" });
    life.see({ kind: "boot", boot: 1, phase: "serving" });
    life.see({ kind: "reader", reader: 1, phase: "opened", after: 0, query: "" });
    life.changed(1, ["provider", "providers.first.kind"], "start");
    life.tell("daemon.started", { instanceId: "boot-1", version: "0" });
    return life;
  }

  see(sight: Sight): this {
    const seen: Seen = { ...sight, at: this.now, step: this.#step };
    this.model.see(seen);
    return this;
  }

  wait(ms: number): this {
    this.now += ms;
    this.#step += 1;
    return this;
  }

  get iso(): string {
    return new Date(this.now).toISOString();
  }

  /** The next stored event, as the reader is sent it; of this moment where it does not say another. */
  tell<T extends SeenEvent["type"]>(
    type: T,
    data: Omit<Extract<SeenEvent, { type: T }>["data"], "at"> & { at?: string },
    reader = 1,
    id = (this.#eventId += 1),
  ): this {
    return this.see({ kind: "event", reader, id, type, data: { at: this.iso, ...data } } as Sight);
  }

  changed(
    revision: number,
    changedKeys: string[],
    source: "start" | "file" | "api" = "file",
    at = this.iso,
  ): this {
    const counts = { appliedImmediately: [], pendingRestarts: 0, unaffected: 0, daemonRestart: false };
    return this.tell("settings.changed", { at, revision, source, changedKeys, ...counts });
  }

  /** Somebody writes these settings. */
  edit(document: Document, isGood = true): this {
    const how = isGood ? "rename" : "invalid";
    return this.see({ kind: "edit", how, document, isGood, text: JSON.stringify(document) });
  }

  /** What became of the native event for an edit that comes next. */
  hint(
    fate: Extract<Sight, { kind: "hint" }>["fate"],
    of: Extract<Sight, { kind: "hint" }>["of"] = "settings",
  ): this {
    return this.see({ kind: "hint", of, fate });
  }

  /** A request and its answer. */
  ask(
    method: string,
    path: string,
    answer: { status: number; body?: unknown; headers?: Record<string, string> },
    body?: unknown,
    headers: Record<string, string> = {},
  ): this {
    const request = (this.#request += 1);
    this.see({ kind: "request", request, boot: 1, method, path, headers, body });
    return this.see({ kind: "answer", request, headers: {}, body: undefined, ...answer });
  }

  /** A message that is accepted, and told so; the first of a session makes that. */
  accept(id: string, seq = 1, session = "a", content = "hello", more: Record<string, string> = {}): this {
    const shown = message(id, { session, seq, content });
    this.ask("POST", `/api/sessions/${session}/messages`, { status: 202, body: shown }, { content }, more);
    if (seq === 1) this.tell("session.created", { session });
    return this.tell("message.accepted", { session, message: id, seq });
  }

  started(
    id: string,
    seq = 1,
    more: Partial<Extract<SeenEvent, { type: "message.started" }>["data"]> = {},
  ): this {
    const base = { session: "a", message: id, seq, attempt: 1, provider: "first", model: "one", revision: 1 };
    return this.tell("message.started", { ...base, ...more });
  }

  /** A call begins; its number. */
  call(more: Partial<typeof ordinaryCall> = {}): number {
    const call = (this.#call += 1);
    this.see({ kind: "call", call, ...ordinaryCall, ...more });
    return call;
  }

  ended(call: number, end: ScriptedEnd = answered): this {
    return this.see({ kind: "callEnded", call, end });
  }

  refused(
    call: number,
    failure: Extract<ScriptedEnd, { kind: "refused" }>["failure"],
    retryAfterMs: number | null = null,
  ): this {
    return this.ended(call, { kind: "refused", failure, status: null, retryAfterMs });
  }

  done(id: string, seq = 1, session = "a", usage = { inputTokens: 10, outputTokens: 5 }): this {
    return this.tell("message.done", { session, message: id, seq, usage });
  }

  requeued(
    id: string,
    reason: Extract<SeenEvent, { type: "message.requeued" }>["data"]["reason"],
    kind: NonNullable<ShownMessage["error"]>["kind"] | null = null,
    more: { session?: string; seq?: number; retryAt?: string } = {},
  ): this {
    const error = kind === null ? {} : { error: { kind, message: "so it was" } };
    return this.tell("message.requeued", { session: "a", message: id, seq: 1, reason, ...error, ...more });
  }

  failed(id: string, kind: NonNullable<ShownMessage["error"]>["kind"], seq = 1): this {
    return this.tell("message.failed", {
      session: "a",
      message: id,
      seq,
      error: { kind, message: "so it was" },
    });
  }

  /** One ordinary message from its post to its end, `turns` being what was said before. */
  whole(id: string, seq = 1, content = "hello", turns: typeof ordinaryCall.turns = []): this {
    this.accept(id, seq, "a", content).started(id, seq);
    return this.ended(this.call({ content, turns })).done(id, seq);
  }

  /** Everything is read. */
  read(more: Partial<Stored> = {}): this {
    return this.see({ kind: "stored", ...readings(this.iso), ...more });
  }

  /** Nothing stirs, and everything is read. */
  rest(more: Partial<Stored> = {}): this {
    return this.see({ kind: "rest", timers: 0 }).read(more);
  }
}

/** A message as it is shown. */
export function message(id: string, more: Partial<ShownMessage> = {}): ShownMessage {
  const none = { reply: null, finish: null, error: null, provider: null, model: null, revision: null };
  const other = {
    fallbackFrom: null,
    usage: null,
    repliedBy: null,
    retryOf: null,
    startedAt: null,
    finishedAt: null,
  };
  const base = { id, session: "a", seq: 1, content: "hello", status: "pending" as const, attempts: 0 };
  return { ...base, ...none, ...other, createdAt: new Date(birth).toISOString(), ...more };
}

/** A message that was answered, as it is shown. */
export function doneMessage(id: string, more: Partial<ShownMessage> = {}): ShownMessage {
  const end = new Date(birth).toISOString();
  return message(id, { status: "done", reply: "hi", finish: "stop", attempts: 1, finishedAt: end, ...more });
}

/** A session as it is shown. */
export function session(id: string, more: Partial<ShownSession> = {}): ShownSession {
  return shownSession(id, new Date(birth).toISOString(), more);
}

/** What is read of a daemon that has nothing to do and has done nothing. */
export function readings(at: string): Stored {
  return {
    sessions: [],
    messages: [],
    revisions: [],
    status: {
      path: "settings.json",
      revision: 1,
      hash: null,
      lastModified: null,
      appliedAt: at,
      mode: "auto",
      watching: "native",
      problems: [],
      waiting: null,
      notInForce: [],
      pendingRestarts: [],
      rollout: null,
      held: [],
    },
    stats: {
      activeSessions: 0,
      busySessions: 0,
      pendingMessages: 0,
      oldestPendingMs: null,
      lastTurnAt: null,
      turns: 0,
      tokensToday: 0,
      providers: {},
      uptimeMs: 0,
      rssBytes: 0,
    },
    daemon: {
      instanceId: "boot-1",
      pid: 1,
      version: "0",
      startedAt: at,
      phase: "serving",
      url: "http://127.0.0.1:4747",
      settingsPath: "settings.json",
      dataDir: "data",
      lastRestart: null,
    },
  };
}
