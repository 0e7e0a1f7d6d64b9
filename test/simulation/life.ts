import type { Outside } from "../../src/daemon/outside.ts";
import { Chance } from "./chance.ts";
import { Clients } from "./clients.ts";
import { type Stage, calmDown, perform } from "./deeds.ts";
import { Editor } from "./editor.ts";
import type { Seen, Stored } from "./history.ts";
import { Killed } from "./process.ts";
import { makeServers } from "./settings-texts.ts";
import { User } from "./user.ts";
import type { Item } from "./workload.ts";
import { Breach, World } from "./world.ts";

/** Whoever looks at a life from outside, and judges it. */
export interface Judge {
  /** Throws where a promise is not kept. */
  see(seen: Seen): void;
}

function isKilled(thrown: unknown): boolean {
  return thrown instanceof Killed || (thrown instanceof Error && thrown.cause instanceof Killed);
}

/** How a life went. */
export interface LifeReport {
  steps: number;
  simulatedMs: number;
  /** What was seen, to the end or to what was broken. */
  history: readonly Seen[];
  /** What was broken first; undefined where nothing was. */
  broken: unknown;
}

/** Everything that is stored is read after so many items. */
const itemsBetweenReads = 10;
/** Longer than any edit that is saved slowly takes. */
const slowestSaveMs = 10_000;
/** Longer than an edit that nobody was told of takes to be noticed, and a rollout to end. */
const noticedMs = 30_000;
const rolledOutMs = 75_000;
const pauses = [1, 50, 300, 1000] as const;
const waits = [1, 100, 1000, 3000, 10_000] as const;
const longWaits = [60_000, 120_000, 120_000, 900_000] as const;
/** As often it is looked whether everything has ended, and so long apart. */
const mostLooks = 600;
const betweenLooksMs = 5000;

/** Lives one life, from an empty data folder to a daemon that has stopped; the same for the same seed and items. */
export async function live(parts: {
  seed: number;
  items: readonly Item[];
  judge: Judge;
  onSessionStep?: Outside["onSessionStep"];
  onItem?: (item: Item) => void;
}): Promise<LifeReport> {
  const life = new Life(parts);
  const rejected = (thrown: unknown): void => life.unhandled(thrown);
  process.on("unhandledRejection", rejected);
  try {
    await life.run(parts.items);
  } catch (thrown) {
    life.world.broken ??= thrown;
  } finally {
    process.off("unhandledRejection", rejected);
  }
  return life.end();
}

class Life {
  readonly world: World;
  readonly #seed: number;
  readonly #stage: Stage;
  readonly #bornAt: number;
  readonly #onItem: (item: Item) => void;

  constructor(parts: {
    seed: number;
    judge: Judge;
    onSessionStep?: Outside["onSessionStep"];
    onItem?: (item: Item) => void;
  }) {
    const servers = makeServers();
    const { seed, judge, onSessionStep, onItem } = parts;
    this.world = new World({
      seed,
      servers,
      judge: (seen) => judge.see(seen),
      ...(onSessionStep && { onSessionStep }),
    });
    const clients = new Clients(this.world);
    this.#stage = {
      world: this.world,
      servers,
      clients,
      user: new User(clients),
      editor: new Editor(this.world),
    };
    this.#seed = seed;
    this.#bornAt = this.world.scheduler.now;
    this.#onItem = onItem ?? ((): void => {});
  }

  async run(items: readonly Item[]): Promise<void> {
    const { world } = this;
    this.#stage.editor.begin(this.#seed);
    world.beginStep();
    world.boot();
    await world.settle();
    this.#stage.clients.follow("", 0, "socket");
    for (const [place, item] of items.entries()) {
      if (world.broken !== undefined) return;
      this.#onItem(item);
      await this.#take(item);
      if (place % itemsBetweenReads === itemsBetweenReads - 1 || item.kind === "wait long")
        await this.#readAll();
    }
    await this.#comeToRest();
    await this.#stop();
  }

  /** Nobody has looked after a promise: that ends a real process. What a killed one leaves behind is nobody's business. */
  unhandled(thrown: unknown): void {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    if (!isKilled(thrown)) this.world.breakWith(new Breach("no bug is met", `not handled: ${text}`));
  }

  end(): LifeReport {
    const { world } = this;
    const simulatedMs = world.scheduler.now - this.#bornAt;
    world.process?.exit();
    world.database.destroy();
    return { steps: world.steps, simulatedMs, history: world.history, broken: world.broken };
  }

  async #take(item: Item): Promise<void> {
    const { world } = this;
    const chance = this.#use(item.seed);
    if (!world.process && chance.happens(world.hasFailedToBoot ? 0.1 : 0.6)) {
      world.beginStep();
      world.boot();
      if (chance.happens(0.7)) await world.settle();
    }
    world.beginStep();
    perform(item, this.#stage, chance);
    if (item.kind === "wait") return world.advance(chance.pick(waits));
    if (item.kind === "wait long") {
      await world.advance(chance.pick(longWaits));
      // 1. What was to happen by itself has had its time.
      return this.#readAll();
    }
    const luck = chance.next();
    if (luck < 0.35) return world.turn(chance.below(6));
    if (luck < 0.6) return world.settle();
    return world.advance(chance.pick(pauses));
  }

  /** Faults end; what stands in the way of a message goes; everything ends. */
  async #comeToRest(): Promise<void> {
    const { world } = this;
    this.#use(this.#seed);
    world.process?.spare();
    await world.advance(slowestSaveMs);
    world.beginStep();
    calmDown(this.#stage);
    await world.advance(noticedMs);
    this.#bootAgain();
    await world.advance(noticedMs);
    // 1. By now the file has to be in force, or to wait, before anybody makes the daemon look at it.
    await this.#readAll();
    for (const deed of ["apply", "release"] as const) {
      perform({ kind: deed, seed: 0 }, this.#stage, world.chance);
      await world.advance(1000);
    }
    this.#stage.user.calmDown();
    for (let look = 0; look < mostLooks && world.broken === undefined; look++) {
      this.#bootAgain();
      await world.advance(betweenLooksMs);
      if (await this.#isAllEnded()) break;
    }
    await world.advance(rolledOutMs);
    if (world.broken !== undefined) return;
    if (!(await this.#isAllEnded()))
      world.breakWith(new Breach("it comes to rest", "faults have ended, and something is still pending"));
    world.see({ kind: "rest", timers: world.process?.timers ?? 0 });
    await this.#readAll();
  }

  async #stop(): Promise<void> {
    const { world } = this;
    world.beginStep();
    world.stop();
    await world.advance(60_000);
    if (world.broken !== undefined) return;
    if (world.process)
      world.breakWith(new Breach("it comes to rest", "it was asked to stop and has not stopped"));
    world.see({ kind: "end", ...world.leftovers(), calls: world.servers.inFlight });
  }

  #bootAgain(): void {
    if (this.world.process) return;
    this.world.beginStep();
    this.world.boot();
  }

  async #isAllEnded(): Promise<boolean> {
    const stats = await this.#look<Stored["stats"]>("/api/stats");
    return stats?.pendingMessages === 0 && stats.busySessions === 0;
  }

  /** Reads everything over HTTP, at a moment at which nothing stirs. */
  async #readAll(): Promise<void> {
    const { world } = this;
    await world.settle();
    if (world.broken !== undefined) return;
    const [sessions, messages, status, stats, daemon, history] = await Promise.all([
      this.#look<{ items: Stored["sessions"] }>("/api/sessions?limit=1000"),
      this.#look<{ items: Stored["messages"] }>("/api/messages?limit=1000"),
      this.#look<Stored["status"]>("/api/settings/status"),
      this.#look<Stored["stats"]>("/api/stats"),
      this.#look<Stored["daemon"]>("/api/daemon"),
      this.#look<{ items: Stored["revisions"] }>("/api/settings/history"),
    ]);
    if (!sessions || !messages || !status || !stats || !daemon || !history) return;
    world.see({
      kind: "stored",
      sessions: sessions.items,
      messages: messages.items,
      status,
      // What is of the machine and not of the world is the same in every life.
      stats: { ...stats, rssBytes: 0 },
      daemon: { ...daemon, pid: 0 },
      revisions: history.items.map(({ revision, source, changedKeys }) => ({
        revision,
        source,
        changedKeys,
      })),
    });
  }

  /** Answers come from a daemon under test: they are taken to be of the shape that its schema says. */
  async #look<T>(path: string): Promise<T | undefined> {
    const text = await this.#stage.clients.look(path);
    return text === undefined ? undefined : JSON.parse(text);
  }

  #use(seed: number): Chance {
    const chance = new Chance(seed);
    this.world.chance = chance;
    this.world.scheduler.chance = chance;
    return chance;
  }
}
