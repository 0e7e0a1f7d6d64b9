import { type Call, quoted } from "./calls.ts";
import { numberOf } from "./document.ts";
import type { Turn } from "./inboxes.ts";
import type { StoredEvent } from "./judge.ts";
import { nameOf } from "./outcomes.ts";
import type { Pair } from "./pairing.ts";
import type { Revisions } from "./revisions.ts";
import { expect } from "./violation.ts";

/** What was said in one turn. */
interface Exchange {
  note: string | null;
  content: string;
  reply: string;
}

interface Conversation {
  /** What the present context may be: more than one while it is not known how much a rollover kept. */
  contexts: Exchange[][];
  /** The event with which the last turn began that ended well. */
  doneId: number;
  /** The process that made its call. */
  doneBoot: number;
  /** The daemon owes it a note: it was in flight at a crash. */
  isOwedNote: boolean;
  last: Turn | undefined;
  /** It read more than the limit, and the next turn has to start a fresh context. */
  isDue: boolean;
}

/** Judges what a provider is given: the whole history of the epoch, in order, and notes once (sections 3.6 and 4). */
export class Contexts {
  readonly #revisions: Revisions;
  readonly #conversations = new Map<string, Conversation>();
  /** The last event of a drain. */
  #drainId = 0;
  readonly #hadStoreFault: () => boolean;

  constructor(revisions: Revisions, hadStoreFault: () => boolean) {
    this.#revisions = revisions;
    this.#hadStoreFault = hadStoreFault;
  }

  /** Takes the next stored event. */
  event(event: StoredEvent): void {
    if (event.type === "session.deleted") this.#conversations.delete(event.data.session);
    else if (event.type === "session.rolled_over") this.#rolledOver(event.data.session);
    else if (event.type === "daemon.draining") this.#drainId = event.id;
  }

  /** A turn is over; its call was given what was said before. */
  judge({ turn, call }: Pair): void {
    const conversation = this.#of(turn.session);
    expect(!conversation.isDue, "context", () => `${nameOf(turn)} ran in the context that was to be left`);
    const note = call ? this.#expectContext(conversation, turn, call) : null;
    conversation.last = turn;
    // A call that ignores its abort may be lost later, when its turn is long over.
    const isByCrash = turn.end?.kind === "requeued" && turn.end.reason === "crash";
    if (isByCrash && call?.lostAt !== undefined) conversation.isOwedNote = true;
    if (turn.end?.kind !== "done" || call?.end?.kind !== "answered") return;
    const exchange = { note, content: call.content, reply: call.end.reply };
    for (const context of conversation.contexts) context.push(exchange);
    conversation.doneId = turn.id;
    conversation.doneBoot = call.boot;
    conversation.isDue = this.#isOverLimit(turn);
  }

  #expectContext(conversation: Conversation, turn: Turn, call: Call): string | null {
    const last = call.turns.at(-1);
    const note = last?.role === "user" && isNote(last.content) ? last.content : null;
    const given = note === null ? call.turns : call.turns.slice(0, -1);
    const fitting = conversation.contexts.filter((context) => isGiven(given, context));
    expect(fitting.length > 0, "context", () => {
      const [meant = []] = conversation.contexts;
      return `${nameOf(turn)} was called with ${given.length} turns, of its context there are ${meant.length} exchanges: ${quoted(call.content)}`;
    });
    conversation.contexts = fitting;
    // A process that is killed while it starts gives notes before it has told that it started.
    const isRestarted = this.#drainId > conversation.doneId || call.boot > conversation.doneBoot;
    const mayNote = isRestarted || this.#hadStoreFault();
    expect(note === null || mayNote, "context", () => `${nameOf(turn)} was given a note once more`);
    expect(
      note !== null || !conversation.isOwedNote,
      "context",
      () => `${nameOf(turn)} was told nothing of the crash`,
    );
    if (turn.end?.kind === "done") conversation.isOwedNote = false;
    return note;
  }

  /** Section 4: a turn that read more than the limit, or once a message that is too long. */
  #rolledOver(session: string): void {
    const conversation = this.#of(session);
    const { last } = conversation;
    expect(last !== undefined, "context", () => `${session} rolled over before its first turn`);
    const isOverflow = last.end?.kind === "requeued" && last.end.error === "context_overflow";
    if (isOverflow)
      conversation.contexts = distinct(
        conversation.contexts.flatMap((context) => [[], ...this.#kept(context, last)]),
      );
    else {
      const mayBe =
        last.end?.kind === "done" &&
        this.#documents(last).some((document) => isOver(last, numberOf(document, "turn.rolloverTokens")));
      expect(mayBe, "context", () => `${nameOf(last)} made its session roll over`);
      conversation.contexts = distinct(conversation.contexts.flatMap((context) => this.#kept(context, last)));
    }
    conversation.isDue = false;
    conversation.last = undefined;
  }

  /** Section 2, `turn.rolloverKeep`: the latest exchanges, as long as they stay under half the limit. */
  #kept(context: readonly Exchange[], turn: Turn): Exchange[][] {
    const documents = this.#documents(turn);
    return documents.map((document) => {
      const half = numberOf(document, "turn.rolloverTokens") / 2;
      let left = numberOf(document, "turn.rolloverKeep");
      let tokens = 0;
      const kept: Exchange[] = [];
      for (const exchange of context.toReversed()) {
        tokens += Math.ceil((Buffer.byteLength(exchange.content) + Buffer.byteLength(exchange.reply)) / 4);
        if (left-- <= 0 || tokens >= half) break;
        kept.unshift(exchange);
      }
      return kept;
    });
  }

  /** Whether by all that may have been in force it was to roll over. */
  #isOverLimit(turn: Turn): boolean {
    const documents = this.#documents(turn);
    return (
      documents.length > 0 &&
      documents.every((document) => isOver(turn, numberOf(document, "turn.rolloverTokens")))
    );
  }

  #documents({ revision, newest, startedAt }: Turn) {
    const { documentsOf, between } = {
      documentsOf: (number: number) => this.#revisions.documentsOf(number),
      between: () => this.#revisions.between(startedAt, startedAt),
    };
    return [...new Set([...documentsOf(revision), ...documentsOf(newest), ...between()])];
  }

  #of(session: string): Conversation {
    const known = this.#conversations.get(session);
    if (known) return known;
    const conversation = {
      contexts: [[]],
      doneId: 0,
      doneBoot: 0,
      isOwedNote: false,
      last: undefined,
      isDue: false,
    };
    this.#conversations.set(session, conversation);
    return conversation;
  }
}

/** All are the end of one history: those of the same length are the same. */
function distinct(contexts: readonly Exchange[][]): Exchange[][] {
  return [...new Map(contexts.map((context) => [context.length, context])).values()];
}

function isOver({ end }: Turn, limit: number): boolean {
  return limit > 0 && end?.kind === "done" && (end.usage?.inputTokens ?? 0) > limit;
}

function isNote(content: string): boolean {
  return content.startsWith("[system] The daemon ");
}

function isGiven(given: readonly { role: string; content: string }[], context: readonly Exchange[]): boolean {
  const meant = context.flatMap(({ note, content, reply }) => [
    ...(note === null ? [] : [note]),
    content,
    reply,
  ]);
  return meant.length === given.length && given.every(({ content }, index) => content === meant[index]);
}
