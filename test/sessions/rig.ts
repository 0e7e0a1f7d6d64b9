import { join } from "node:path";
import {
  EventBus,
  type EventData,
  type EventType,
  type NewEvent,
  type StoredEvent,
} from "../../src/core/events.ts";
import { type Random, createIds } from "../../src/core/ids.ts";
import { type Core, applySettings, composeCore } from "../../src/daemon/core.ts";
import { openDatabase } from "../../src/platform/bun.ts";
import type { SettingsInForce } from "../../src/sessions/bindings.ts";
import type { SessionRegistry } from "../../src/sessions/registry.ts";
import type { Session } from "../../src/sessions/session.ts";
import { effectiveFingerprint } from "../../src/settings/fingerprint.ts";
import type { Settings } from "../../src/settings/schema.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { MessageRecord } from "../../src/store/message.ts";
import type { Overrides } from "../../src/store/sessions.ts";
import type { Store } from "../../src/store/store.ts";
import { read } from "../settings/reading.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { makeFolder } from "../support/workspace.ts";
import { BootClock } from "./boot-clock.ts";
import { type Interception, interceptedStore } from "./intercepted-store.ts";
import { ScriptedProvider } from "./scripted-provider.ts";

/** A settings document, as a file would give it. */
export type Document = { [key: string]: unknown };

/** Two servers with one model each, and a third for fallbacks. */
export const first = "http://first.example/v1";
export const second = "http://second.example/v1";
export const third = "http://third.example/v1";

const firstDocument: Document = {
  provider: "first",
  providers: {
    first: { kind: "openai", baseUrl: first, model: "one", apiKey: "key-of-first" },
    second: { kind: "claude", baseUrl: second, model: "two", apiKey: "key-of-second" },
    third: { kind: "gemini", baseUrl: third, model: "three", apiKey: "key-of-third" },
  },
  storage: { durability: "normal" },
};

/** One start of the daemon. */
interface Boot {
  core: Core;
  clock: BootClock;
  store: Store;
  onDisk: Store;
  interception: Interception;
}

/** More timers than any test sets. */
const mostSteps = 50_000;

const open = new Set<Rig>();

/** Ends what tests started; to be called after each. Fails for a bug that a test did not provoke, or for what is left. */
export async function closeRigs(): Promise<void> {
  const rigs = [...open];
  open.clear();
  for (const rig of rigs) await rig.stop();
  for (const rig of rigs) rig.expectNothingLeft();
}

/** Ends what tests started without looking at it: for those who look themselves. */
export async function abandonRigs(): Promise<void> {
  const rigs = [...open];
  open.clear();
  for (const rig of rigs) await rig.crash();
}

/**
 * A daemon without its ways in: real store, gate, guard and sessions under a clock and with providers that a test
 * governs. It may be killed and started again on what it stored.
 */
export class Rig {
  readonly clock = new ManualClock(Date.parse("2026-03-01T12:00:00.000Z"));
  readonly provider = new ScriptedProvider();
  /** Every event, as it was committed, over all starts. */
  readonly events: StoredEvent[] = [];
  /** The same, by commit. */
  readonly commits: (readonly StoredEvent[])[] = [];
  /** Bugs that sessions and parts reported; a test that provokes some takes them out. */
  readonly faults: unknown[] = [];
  /** What comes between the daemon and its store, over all starts. */
  before: Interception["before"] = () => undefined;
  readonly #path = join(makeFolder("sessions"), "segue.db");
  readonly #random: Random;
  readonly #ids = createIds(() => 0);
  /** Messages accepted and not ended, as the events tell. */
  readonly #unended = new Set<string>();
  readonly #settings = new Map<number, Settings>();
  #document: Document;
  #inForce: SettingsInForce | undefined;
  #boot: Boot | undefined;

  private constructor(document: Document, random: Random) {
    this.#document = merged(firstDocument, document);
    this.#random = random;
  }

  /** Starts a daemon; `document` is merged into settings with three servers. */
  static async start(document: Document = {}, random: Random = () => 0.5): Promise<Rig> {
    const rig = new Rig(document, random);
    open.add(rig);
    await rig.boot();
    return rig;
  }

  /** Whether there is a daemon, at least one that starts. */
  get isUp(): boolean {
    return this.#boot !== undefined;
  }

  get core(): Core {
    return this.#present().core;
  }

  get registry(): SessionRegistry {
    return this.core.registry;
  }

  get store(): Store {
    return this.#present().store;
  }

  get revision(): number {
    return this.inForce.revision;
  }

  get inForce(): SettingsInForce {
    if (!this.#inForce) throw new Error("no settings are in force yet");
    return this.#inForce;
  }

  /** Timers of the present start that wait. */
  get timers(): number {
    return this.#present().clock.waiting;
  }

  /** Starts the daemon on what is stored; after `crash` or `stop`. */
  async boot(): Promise<void> {
    const clock = new BootClock(this.clock);
    const onDisk = openSqliteStore({
      open: () => openDatabase(this.#path),
      clock,
      publish: (events) => this.#published(events),
      backupPath: (version) => `${this.#path}.${version}`,
    });
    const interception: Interception = { before: (operation) => this.before(operation), isDead: false };
    const store = interceptedStore(onDisk, interception);
    onDisk.setDurability("normal");
    if (!this.#inForce) this.#inForce = await this.#record(store, this.#document);
    const core = await this.#compose(store, clock);
    this.#boot = { core, clock, store, onDisk, interception };
    await store.messages.recover(core.boot, this.inForce.settings.turn.maxAttempts, this.clock.now());
    await core.registry.start([]);
  }

  /** The process is killed. */
  async crash(): Promise<void> {
    if (!this.#boot) return;
    const { clock, onDisk, interception } = this.#boot;
    interception.isDead = true;
    clock.kill();
    this.provider.lose();
    this.#boot = undefined;
    await onDisk.close();
  }

  /** The daemon drains for as long and stops; turns left are aborted. The answer is that of the drain. */
  async stop(graceMs = 0): Promise<{ aborted: number; requeued: number }> {
    if (!this.#boot) return { aborted: 0, requeued: 0 };
    const { core, onDisk, clock } = this.#boot;
    core.gate.close();
    let drained: { aborted: number; requeued: number } | undefined;
    const draining = core.registry.drain(this.clock.now() + graceMs).then((result) => (drained = result));
    await this.until("the daemon has drained", () => drained !== undefined);
    const result = await draining;
    await this.clock.settle();
    this.#boot = undefined;
    if (clock.waiting > 0) this.faults.push(new Error(`${clock.waiting} timers are left`));
    await onDisk.close();
    return result;
  }

  /** Throws where a bug was reported or something was left behind. */
  expectNothingLeft(): void {
    if (this.faults.length > 0) throw new Error("a fault was reported", { cause: this.faults[0] });
  }

  /** Puts other settings in force: `change` is merged into those of now, null removes. Answers with the revision. */
  async edit(change: Document): Promise<number> {
    this.#document = merged(this.#document, change);
    const { store, core } = this.#present();
    this.#inForce = await this.#record(store, this.#document);
    applySettings(core, this.inForce.settings);
    return this.revision;
  }

  /** What `POST /api/settings/release` does. */
  release(): void {
    this.core.guard.releaseAll();
    this.core.gate.releaseParks();
  }

  /** Makes a session that sets something for itself. */
  async create(id: string, overrides: Partial<Overrides> = {}, system: string | null = null): Promise<void> {
    const all = { provider: null, model: null, mode: null, ...overrides };
    await this.registry.create({ id, title: null, system, labels: {}, overrides: all });
  }

  /** Makes sessions of these names: idle, loaded. */
  async createMany(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => this.create(id)));
    await this.clock.settle();
  }

  /** Posts messages to a session; answers with their ids. */
  async post(session: string, ...contents: string[]): Promise<string[]> {
    const messages = contents.map((content) => ({ id: this.#ids.message(), content, retryOf: null }));
    const accepted = await this.registry.accept({
      session,
      messages,
      idempotency: null,
      maxPending: 1_000_000,
    });
    if (accepted.kind !== "accepted") throw new Error(`the post was not accepted: ${accepted.kind}`);
    return messages.map(({ id }) => id);
  }

  /** A loaded session. */
  session(id: string): Session {
    const session = this.registry.find(id);
    if (!session) throw new Error(`session ${id} is not loaded`);
    return session;
  }

  /** The messages of a session by `seq`. */
  async messages(session: string): Promise<MessageRecord[]> {
    return (await this.store.messages.list({ session }, { limit: 100_000, cursor: null })).items;
  }

  /** All messages. */
  async allMessages(): Promise<MessageRecord[]> {
    return (await this.store.messages.list({}, { limit: 1_000_000, cursor: null })).items;
  }

  /** The data of every event of a type, in order; without the time. */
  told<T extends EventType>(type: T): EventData[T][] {
    return this.events
      .filter((event) => event.type === type)
      .map((event) => {
        const { at: _at, ...data } = JSON.parse(event.data);
        return data;
      });
  }

  /** The settings of a revision. */
  settingsOf(revision: number): Settings | undefined {
    return this.#settings.get(revision);
  }

  /** Whether every message that was accepted has ended. */
  get isAllEnded(): boolean {
    return this.#unended.size === 0;
  }

  /** Lets time pass until every message has ended. */
  async untilAllEnded(): Promise<void> {
    await this.until("every message has ended", () => this.isAllEnded);
  }

  /** Lets time pass, from timer to timer, until something is so; fails where it does not become so for too long. */
  async until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = this.clock.now() + 7 * 86_400_000;
    for (let step = 0; ; step++) {
      await this.clock.settle();
      if (await isSo()) return;
      const { nextAt } = this.clock;
      if (nextAt === undefined || nextAt > deadline || step > mostSteps)
        throw new Error(`did not become so: ${what}`);
      await this.clock.advance(nextAt - this.clock.now());
    }
  }

  async #record(store: Store, document: Document): Promise<SettingsInForce> {
    const { settings } = read(JSON.stringify(document));
    const at = this.clock.now();
    const fingerprint = effectiveFingerprint(settings);
    const revision = await store.revisions.record(
      { at, source: "api", changedKeys: [], fingerprint, text: null },
      (number) => [changed(number)],
    );
    this.#settings.set(revision, settings);
    return { revision, appliedAt: at, settings };
  }

  #compose(store: Store, clock: BootClock): Promise<Core> {
    const bus = new EventBus((thrown) => this.faults.push(thrown));
    const keep = (promise: Promise<unknown>): void => {
      promise.catch((thrown: unknown) => this.faults.push(thrown));
    };
    return composeCore({
      store,
      clock,
      keep,
      random: this.#random,
      ids: this.#ids,
      inForce: () => this.inForce,
      tell: (events) => keep(store.events.append(events, clock.now())),
      createProvider: this.provider.createOn(clock),
      redact: (text) => text,
      onDelta: (delta) => bus.publishDelta(delta),
      onFault: (_session, thrown) => this.faults.push(thrown),
    });
  }

  #published(events: readonly StoredEvent[]): void {
    this.commits.push(events);
    for (const event of events) {
      this.events.push(event);
      if (!event.type.startsWith("message.")) continue;
      const { message }: EventData["message.accepted"] = JSON.parse(event.data);
      if (event.type === "message.accepted") this.#unended.add(message);
      else if (["message.done", "message.failed", "message.cancelled"].includes(event.type))
        this.#unended.delete(message);
    }
  }

  #present(): Boot {
    if (!this.#boot) throw new Error("the daemon does not run");
    return this.#boot;
  }
}

/** Marks the place of a revision among the events. */
function changed(revision: number): NewEvent {
  const told = { pendingRestarts: 0, unaffected: 0, daemonRestart: false };
  const keys = { changedKeys: [], appliedImmediately: [] };
  return { type: "settings.changed", data: { revision, source: "api", ...keys, ...told } };
}

/** JSON Merge Patch (RFC 7396), as far as documents of settings need it. */
function merged(document: Document, change: Document): Document {
  const result: Document = { ...document };
  for (const [key, value] of Object.entries(change)) {
    const before = result[key];
    if (value === null) delete result[key];
    else result[key] = isDocument(value) ? merged(isDocument(before) ? before : {}, value) : value;
  }
  return result;
}

function isDocument(value: unknown): value is Document {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
