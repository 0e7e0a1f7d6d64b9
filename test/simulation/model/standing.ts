import type { ShownMessage } from "../../../src/http/answers.ts";
import type { Seen } from "../history.ts";
import type { Answers } from "./answers.ts";
import type { Inbox, Inboxes, Message } from "./inboxes.ts";
import type { Requests } from "./requests.ts";
import type { Revisions } from "./revisions.ts";
import { expect } from "./violation.ts";

type Stored = Extract<Seen, { kind: "stored" }>;

/** What the inbox of a session is allowed to be short of: nothing, where nothing was asked to be deleted. */
interface Parts {
  inboxes: Inboxes;
  answers: Answers;
  requests: Requests;
  revisions: Revisions;
}

/** Compares what is read with what was promised and told: messages (sections 1.1, 5 and 6). */
export class StoredMessages {
  readonly #parts: Parts;
  /** Ended messages as they were read first: they stay so. */
  readonly #ended = new Map<string, string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Whatever was read may be ahead of the events, and never behind them. */
  judge(stored: Stored): void {
    const messages = new Map(stored.messages.map((message) => [message.id, message]));
    this.#expectPromisesKept(stored, messages);
    for (const inbox of this.#parts.inboxes.all()) this.#expectAsTold(inbox, stored, messages);
    this.#expectWhole(stored.messages);
    for (const { id, pending } of stored.sessions) {
      const count = stored.messages.filter((each) => each.session === id && each.status === "pending").length;
      expect(pending === count, "answers", () => `${id} shows ${pending} pending, it has ${count}`);
    }
  }

  /** At rest the events have told everything. */
  judgeAtRest(stored: Stored): void {
    for (const message of stored.messages) {
      const told = this.#parts.inboxes.of(message.session)?.messages.get(message.id);
      expect(told !== undefined, "events", () => `${nameOf(message)} was accepted, no event tells of it`);
      const isSame = told.status === message.status;
      expect(isSame, "events", () => `${nameOf(message)} is ${message.status}, told was ${told.status}`);
      const isCounted = message.status !== "pending" || told.mayBeReset || told.attempts === message.attempts;
      expect(
        isCounted,
        "attempts",
        () => `${nameOf(message)} shows ${message.attempts}, counted were ${told.attempts}`,
      );
      this.#expectAtRest(stored, message);
    }
    const told = new Set([...this.#parts.inboxes.all()].map((inbox) => inbox.session));
    for (const { id } of stored.sessions)
      expect(told.delete(id), "events", () => `${id} is there, no event tells of it`);
    expect(told.size === 0, "accepted means kept", () => `${[...told].join()} is told of and not there`);
  }

  #expectAtRest(stored: Stored, message: ShownMessage): void {
    if (this.#parts.answers.cancelled.has(message.id))
      expect(
        message.status === "cancelled",
        "exactly one outcome",
        () => `${nameOf(message)} was cancelled and is ${message.status}`,
      );
    expect(message.status !== "running", "rest", () => `${nameOf(message)} is running at rest`);
    if (message.status !== "pending") return;
    const session = stored.sessions.find((each) => each.id === message.session);
    const isStated =
      session?.state === "waiting" && session.waitingFor !== null && session.waitingFor !== "retry";
    expect(isStated, "rest", () => `${nameOf(message)} is pending at rest, its session ${session?.state}`);
  }

  /** Section 1.1: what was answered with 2xx is there, and says what was posted. */
  #expectPromisesKept(stored: Stored, messages: ReadonlyMap<string, ShownMessage>): void {
    for (const { id, session, content, at } of this.#parts.answers.promised()) {
      const message = messages.get(id);
      if (message) {
        const isSame = content === undefined || content === message.content;
        expect(isSame, "accepted means kept", () => `${nameOf(message)} says something else than was posted`);
      } else
        expect(
          this.#mayBeGone(session, at, stored.at),
          "accepted means kept",
          () => `${id} of ${session} is gone`,
        );
    }
  }

  #expectAsTold(inbox: Inbox, stored: Stored, messages: ReadonlyMap<string, ShownMessage>): void {
    for (const told of inbox.messages.values()) {
      const message = messages.get(told.id);
      if (!message) {
        const isGone = this.#mayBeGone(inbox.session, 0, stored.at);
        expect(isGone, "accepted means kept", () => `${inbox.session}/${told.seq} is told of and not there`);
        continue;
      }
      expect(message.seq === told.seq, "in order", () => `${nameOf(message)} was told as ${told.seq}`);
      const isSame = !hasEnded(told) || told.status === message.status;
      expect(
        isSame,
        "exactly one outcome",
        () => `${nameOf(message)} is ${message.status}, told was ${told.status}`,
      );
    }
  }

  /** Exactly one reply, and it stays. */
  #expectWhole(messages: readonly ShownMessage[]): void {
    for (const message of messages) {
      if (message.status === "pending" || message.status === "running") continue;
      const text = `${message.status} ${message.reply} ${message.repliedBy} ${message.finishedAt}`;
      const before = this.#ended.get(message.id);
      expect(
        before === undefined || before === text,
        "exactly one outcome",
        () => `${nameOf(message)} was ${before}, is ${text}`,
      );
      if (before !== undefined) continue;
      this.#ended.set(message.id, text);
      const isReplied =
        message.status !== "done" || (message.reply === null) !== (message.repliedBy === null);
      expect(
        isReplied,
        "exactly one outcome",
        () => `${nameOf(message)} is done, its reply is ${message.reply}`,
      );
      const isTold = message.status !== "failed" || message.error !== null;
      expect(isTold, "answers", () => `${nameOf(message)} failed without saying why`);
    }
  }

  /** Section 1.1: only deletion and retention remove a message. */
  #mayBeGone(session: string, from: number, to: number): boolean {
    const path = `/api/sessions/${encodeURIComponent(session)}`;
    const isDeleted = this.#parts.requests.between("DELETE", path, from, to).length > 0;
    return (
      isDeleted || this.#parts.revisions.numbersBetween("storage.keepDays", 0, to).some((days) => days > 0)
    );
  }
}

function hasEnded({ status }: Message): boolean {
  return status !== "pending" && status !== "running";
}

function nameOf({ session, seq }: ShownMessage): string {
  return `${session}/${seq}`;
}
