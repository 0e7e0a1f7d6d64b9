import type * as v from "valibot";
import type { EventData, FailureKind, Usage } from "../../src/core/events.ts";
import type {
  daemonShape,
  settingsStatusShape,
  ShownMessage,
  ShownSession,
  statsShape,
} from "../../src/http/answers.ts";
import type { ProviderKind } from "../../src/providers/provider.ts";

/** A settings document as it is meant, before it is written down: nested, without comments. */
export type Document = { readonly [key: string]: unknown };

/** How a crash treats the transaction that was being taken: it stands, it does not, or there was none. */
export type CrashVariant = "committed" | "not committed" | "idle";

/** How a simulated provider means to end a call; what the daemon makes of it is not its business. */
export type ScriptedEnd =
  /** `usage` null: it reports none. `isLie`: the numbers are made up, which nobody can know. */
  | { kind: "answered"; reply: string; finish: string; usage: Usage | null; isLie?: true }
  /** Ends properly, without text. */
  | { kind: "empty" }
  /** Ends without its proper end after what it said so far. */
  | { kind: "cut" }
  /** `failure` is the row of contract section 4 that this refusal belongs to. */
  | { kind: "refused"; failure: FailureKind; status: number | null; retryAfterMs: number | null };

/** What is read over HTTP at one moment, all of it; nothing else happens between its parts. */
export interface Stored {
  readonly sessions: readonly ShownSession[];
  /** Of all sessions, by session and `seq`. */
  readonly messages: readonly ShownMessage[];
  readonly status: v.InferOutput<typeof settingsStatusShape>;
  readonly stats: v.InferOutput<typeof statsShape>;
  readonly daemon: v.InferOutput<typeof daemonShape>;
  /** The last ones, oldest first. */
  readonly revisions: readonly { revision: number; source: string; changedKeys: readonly string[] }[];
}

/** An event of the stream, with its type and the data that belongs to it. */
export type SeenEvent = {
  [T in keyof EventData]: { type: T; data: { at: string } & EventData[T] };
}[keyof EventData];

/** One thing that can be seen from outside. Requests, calls and readers have numbers that are never used twice. */
export type Sight =
  /** A life begins: the settings file says this (undefined: it is absent), the data folder is empty. */
  | { kind: "born"; seed: number; document: Document | undefined }
  /** A process starts; `serving` once it answers. `failed`: it could not, said why, and is gone. */
  | { kind: "boot"; boot: number; phase: "asked" | "serving" }
  | { kind: "boot"; boot: number; phase: "failed"; reason: string }
  /** The process is killed: from here on nothing of it is seen any more. */
  | { kind: "crash"; boot: number; variant: CrashVariant }
  /** The process was asked to read its settings, by a signal. */
  | { kind: "reload"; boot: number }
  /** The process was asked to restart in place, by a signal. */
  | { kind: "restart"; boot: number }
  /** The process was asked to stop by a signal, and the moment at which it had. */
  | { kind: "stop"; boot: number; phase: "asked" | "stopped" }
  /**
   * Somebody edits the settings file. `document` is what it means, undefined where it means nothing (deleted, empty,
   * half-written, not readable) or where the values are bad. `isGood`: it is to be put in force.
   */
  | {
      kind: "edit";
      how: "rename" | "in place" | "deleted" | "half-written" | "invalid" | "unreadable";
      document: Document | undefined;
      isGood: boolean;
      text: string | undefined;
    }
  /** What a reference leads to from now on, whether the settings file has it or not; undefined: nowhere. */
  | { kind: "reference"; reference: string; value: string | undefined }
  /** The daemon itself wrote the file (PATCH, PUT, rollback); the meaning of what stands there now. */
  | { kind: "written"; document: unknown; text: string }
  /** What became of the native event for an edit of the settings file, or of what a reference may lead to. */
  | { kind: "hint"; of: "settings" | "reference"; fate: "delivered" | "lost" | "late" | "doubled" }
  /** `body` is parsed where it is JSON, text otherwise, undefined where there is none. */
  | {
      kind: "request";
      request: number;
      boot: number;
      method: string;
      path: string;
      headers: Readonly<Record<string, string>>;
      body: unknown;
    }
  | {
      kind: "answer";
      request: number;
      status: number;
      headers: Readonly<Record<string, string>>;
      body: unknown;
    }
  /** No answer will come: whether it was done is not known. `cut`: its listener was closed over it. */
  | { kind: "unanswered"; request: number; why: "crash" | "cut" | "client left" }
  /** An outside reader of `/api/events` that resumes where it was, over crashes and restarts. */
  | { kind: "reader"; reader: number; phase: "opened" | "ended"; after: number | null; query: string }
  | ({ kind: "event"; reader: number; id: number | null } & SeenEvent)
  /** `events.gap` of the stream: events that will not be sent. */
  | { kind: "gap"; reader: number; from: number; to: number }
  /** The daemon calls a provider. `turns` and `content` are what the provider is given. */
  | {
      kind: "call";
      call: number;
      boot: number;
      provider: ProviderKind;
      /** Base URL, as the settings say it. */
      endpoint: string;
      key: string | null;
      model: string;
      session: string;
      system: string;
      turns: readonly { role: "user" | "assistant"; content: string }[];
      content: string;
    }
  | { kind: "chunk"; call: number; text: string }
  | { kind: "callEnded"; call: number; end: ScriptedEnd }
  /** The daemon let go of it. `ignoring`: the provider does not hear that, and its end is still to come. */
  | { kind: "callAborted"; call: number; ignoring: boolean }
  /** The process that made it was killed. */
  | { kind: "callLost"; call: number }
  /** A fault begins or ends, or (`once`) happens. What fails because of it is no breach. */
  | { kind: "fault"; fault: Fault; phase: "begins" | "ends" | "once"; detail: string }
  | ({ kind: "stored" } & Stored)
  /**
   * Faults have ended and the file is good; time went on until nothing stirs. `timers` are those of the daemon that
   * still wait, by the moment they are for.
   */
  | { kind: "rest"; timers: number }
  /** The life is over: the daemon was stopped, and this is what it left behind. */
  | { kind: "end"; timers: number; listeners: number; databases: number; watches: number; calls: number };

/** What the world can do to a daemon beside being used. */
export type Fault =
  /** A write or a read finds the database locked, longer than it waits. */
  | "store busy"
  /** Writes find no room. */
  | "store full"
  /** A transaction fails at its commit, and has not happened. */
  | "commit fails"
  /** Reads fail. */
  | "store unreadable"
  /** Everything the store does takes time. */
  | "store slow"
  /** The code of a kind of provider is long in coming: the turn that needs it has its slot, and no call yet. */
  | "code slow"
  /** The file of the settings cannot be written by the daemon. */
  | "settings read-only"
  /** The next address cannot be listened on. */
  | "port taken"
  /** A provider is in a mood: its calls end as `callEnded` says. */
  | "provider"
  /** Native watching is not to be had. */
  | "watch lost";

/** All that can be seen of one simulated life from outside, in the order in which it was seen. */
export type Seen = Sight & {
  /** Simulated time, milliseconds since the Unix epoch. */
  readonly at: number;
  /** Counts what happened to the daemon from outside; what it does in answer has the same number. */
  readonly step: number;
};
