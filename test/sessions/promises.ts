import type { EventData, EventType, StoredEvent } from "../../src/core/events.ts";
import type { Rig } from "./rig.ts";
import type { Call } from "./scripted-provider.ts";

/** Something that may abort turns, and the span of the provider's order in which it may. */
export interface Interference {
  /** Undefined: all sessions. */
  session: string | undefined;
  from: number;
  /** Infinity while it is under way. */
  to: number;
}

const ends: readonly EventType[] = ["message.done", "message.failed", "message.cancelled"];

/** What the events tell of one session. */
interface Inbox {
  /** Not ended, by `seq`. */
  unended: Map<number, string>;
  /** In the turn in flight. */
  running: Set<number>;
  /** The last event that concerned the session, to tell a batch from two turns. */
  lastStarted: number | undefined;
}

/**
 * Looks at what a daemon did, as its events and its providers saw it, and throws where that breaks a promise of the
 * contract. `watch` is asked at each call, `expectKept` at the end.
 */
export class Promises {
  readonly #rig: Rig;
  readonly #proven = new Set<string>();

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  /** To be called when a call begins, before it is answered. */
  watch(call: Call): void {
    const others = this.#rig.provider.running().filter((other) => other !== call);
    for (const other of others)
      if (other.session === call.session)
        throw new Error(`two turns of ${call.session} at once: ${other.content} and ${call.content}`);
    for (const each of this.#rig.provider.calls) if (each.end === "answered") this.#proven.add(nameOf(each));
    const isCanary = !this.#proven.has(nameOf(call));
    if (isCanary && others.some((other) => nameOf(other) === nameOf(call)))
      throw new Error(`two canaries of ${nameOf(call)} at once`);
    const { turnsPerProvider } = this.#rig.inForce.settings.limits;
    const atOnce = others.filter(({ config }) => config.endpoint === call.config.endpoint).length + 1;
    if (atOnce > turnsPerProvider) throw new Error(`${atOnce} turns at ${call.config.endpoint} at once`);
  }

  /** Throws for the first promise that was not kept. */
  async expectKept(interferences: readonly Interference[], timeoutMs: number): Promise<void> {
    this.#expectOrder();
    this.#expectFreshness();
    this.#expectNoAborts(interferences, timeoutMs);
    await this.#expectOneOutcome();
  }

  /** Each session takes its lowest pending message; one turn at a time. */
  #expectOrder(): void {
    const inboxes = new Map<string, Inbox>();
    for (const event of this.#rig.events) {
      if (!event.type.startsWith("message.")) continue;
      const { session, message, seq } = dataOf(event);
      const inbox = inboxes.get(session) ?? {
        unended: new Map(),
        running: new Set(),
        lastStarted: undefined,
      };
      inboxes.set(session, inbox);
      if (event.type === "message.accepted") inbox.unended.set(seq, message);
      else if (event.type === "message.started") expectTurn(event, session, seq, inbox);
      else {
        inbox.running.delete(seq);
        if (ends.includes(event.type) && !inbox.unended.delete(seq))
          throw new Error(`${session}/${seq} ended twice: ${event.type}`);
      }
    }
  }

  /** What starts after a revision came into force runs under it or a newer one; held bindings aside. */
  #expectFreshness(): void {
    let newest = 0;
    let holds = 0;
    for (const event of this.#rig.events)
      if (event.type === "settings.changed") newest = dataOf(event).revision;
      else if (event.type === "settings.held") holds += 1;
      else if (event.type === "settings.released") holds -= 1;
      else if (event.type === "message.started" && holds <= 0) {
        const { revision, provider, model, session, seq } = dataOf(event);
        if (revision !== newest)
          throw new Error(`${session}/${seq} started under ${revision} while ${newest} was in force`);
        const entry = this.#rig.settingsOf(revision)?.providers[provider];
        if (session !== "pinned" && entry?.model !== model)
          throw new Error(
            `${session}/${seq} started with ${model}, which revision ${revision} does not have`,
          );
      }
  }

  /** Nothing but what was asked for, a limit or a crash ends a call. */
  #expectNoAborts(interferences: readonly Interference[], timeoutMs: number): void {
    for (const { end, began, ended = 0, session, content, startedAt } of this.#rig.provider.calls) {
      if (end !== "aborted") continue;
      const isAskedFor = interferences.some(
        ({ session: whose, from, to }) => (whose ?? session) === session && from <= ended && to >= began,
      );
      const isTimedOut = this.#rig.clock.now() - startedAt >= timeoutMs && isHanging(content);
      if (!isAskedFor && !isTimedOut) throw new Error(`a call of ${session} was aborted: ${content}`);
    }
  }

  /** Every accepted message has ended once, and stands so in the store with a reply of its own. */
  async #expectOneOutcome(): Promise<void> {
    const outcomes = new Map<string, EventType>();
    const deleted = new Set(this.#rig.told("session.deleted").map(({ session }) => session));
    for (const event of this.#rig.events)
      if (ends.includes(event.type)) {
        const { message } = dataOf(event);
        if (outcomes.has(message)) throw new Error(`${message} has two outcomes`);
        outcomes.set(message, event.type);
      }
    for (const { message, session } of this.#rig.told("message.accepted")) {
      const outcome = outcomes.get(message);
      const stored = await this.#rig.store.messages.get(message);
      if (outcome === undefined) throw new Error(`${message} of ${session} has no outcome`);
      if (stored ? outcome !== `message.${stored.status}` : !deleted.has(session))
        throw new Error(
          `${message} of ${session} is ${stored?.status} in the store, and was told as ${outcome}`,
        );
      if (stored?.status === "done" && stored.repliedBy === null && !stored.reply?.includes(stored.content))
        throw new Error(`${stored.content} was answered by ${stored.reply}`);
    }
  }
}

function expectTurn(event: StoredEvent, session: string, seq: number, inbox: Inbox): void {
  // A batch is started by events that follow one another.
  if (inbox.lastStarted !== event.id - 1 && inbox.running.size > 0)
    throw new Error(`${session}/${seq} started while ${[...inbox.running].join()} ran`);
  for (const lower of inbox.unended.keys())
    if (lower < seq && !inbox.running.has(lower))
      throw new Error(`${session}/${seq} started before ${session}/${lower}`);
  if (inbox.running.has(seq)) throw new Error(`${session}/${seq} started twice`);
  inbox.running.add(seq);
  inbox.lastStarted = event.id;
}

function nameOf({ config }: Call): string {
  return `${config.endpoint} ${config.key} ${config.model}`;
}

/** Contents that begin so are never answered. */
function isHanging(content: string): boolean {
  return content.includes("hang");
}

/** What the events that are looked at have in common; each holds a part of it. */
type Told = EventData["message.started"] & EventData["settings.changed"];

function dataOf(event: StoredEvent): Told {
  return JSON.parse(event.data);
}
