import { expect, setDefaultTimeout, test } from "bun:test";
import { messagesOf } from "../e2e/conversations.ts";
import { Poster } from "../e2e/poster.ts";
import { eventually } from "../support/eventually.ts";
import { startSegue, type Segue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";
import { countEnds, readKilledStore, type KilledStore } from "./killed-store.ts";
import { seededRandom } from "./seeded-random.ts";

/** How many kills; the whole proof takes 200. */
const times = Number(process.env["SEGUE_KILLS"] ?? 10);
const seed = Number(process.env["SEGUE_SEED"] ?? 20_260_301);
setDefaultTimeout(60_000 + times * 4000);

const sessions = ["north", "east", "south", "west"];
/** So many messages are posted into a session between two kills. */
const perKill = 12;
const settings = {
  storage: { durability: "full" },
  providers: { echo: { delayMs: 12 } },
  limits: { turnsPerProvider: 3 },
};

/** Posts go on while the daemon is killed and started again; each is sent again until it is answered. */
class KilledDaemon {
  readonly posters: Poster[];
  readonly folder = makeFolder("killed");
  readonly killed: KilledStore[] = [];
  readonly #random = seededRandom(seed);
  readonly #posted: Promise<unknown>;
  #segue: Segue;
  #serving: Promise<Segue>;

  constructor(segue: Segue) {
    this.#segue = segue;
    this.#serving = Promise.resolve(segue);
    this.posters = sessions.map((session) => new Poster(session, () => this.#serving));
    const contents = Array.from({ length: (times + 1) * perKill }, (_, at) => `message ${at}`);
    this.#posted = Promise.all(
      this.posters.map((poster) => poster.post(contents, () => Bun.sleep(this.#random(8)))),
    );
  }

  get accepted(): string[] {
    return this.posters.flatMap(({ accepted }) => accepted.map(({ id }) => id));
  }

  /** Kills the daemon at a place of the seed, every other time in a restart that was asked for right before. */
  async killOnce(kill: number): Promise<void> {
    const place = (kill * perKill + this.#random(perKill)) * sessions.length;
    await eventually(`${place} messages are accepted`, () => this.accepted.length >= place, 60_000);
    if (kill % 2 === 1) {
      await this.#segue.post("/api/daemon/restart");
      await Bun.sleep(this.#random(4));
    }
    const next = Promise.withResolvers<Segue>();
    this.#serving = next.promise;
    await this.#segue.kill();
    const stored = readKilledStore(this.#segue.dataDir, this.folder);
    this.killed.push(stored);
    expect(stored.integrity).toBe("ok");
    expect(this.accepted.filter((id) => !stored.statuses.has(id))).toEqual([]);
    this.#segue = await this.#segue.restart();
    next.resolve(this.#segue);
  }

  /** Resolves with the daemon when every message has been posted and has ended. */
  async settled(): Promise<Segue> {
    await this.#posted;
    const pending = async (): Promise<number> =>
      (await this.#segue.get<{ pendingMessages: number }>("/api/stats")).pendingMessages;
    const running = async (): Promise<number> =>
      (await this.#segue.get<{ items: unknown[] }>("/api/messages?status=running")).items.length;
    // What the kills left over takes its time; what does not become less is stuck.
    for (let before = await pending(); before > 0; before = await pending())
      await eventually(`fewer than ${before} are pending`, async () => (await pending()) < before, 60_000);
    await eventually("none is running", async () => (await running()) === 0, 60_000);
    return this.#segue;
  }
}

test(`${times} times kill -9 under load, and every message that was accepted has exactly one outcome`, async () => {
  const run = new KilledDaemon(await startSegue({ settings }));
  for (let kill = 0; kill < times; kill++) await run.killOnce(kill);
  const segue = await run.settled();
  for (const [at, session] of sessions.entries()) {
    const messages = await messagesOf(segue, session);
    expect(messages.map(({ id }) => id)).toEqual(run.posters[at]?.accepted.map(({ id }) => id) ?? []);
    expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => index + 1));
    const wrong = messages.filter(({ status, content, reply }) => status !== "done" || reply !== content);
    expect(wrong).toEqual([]);
  }
  expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
  const ends = countEnds(segue.dataDir);
  expect(ends.size).toBe(run.accepted.length);
  expect([...ends.values()].filter((count) => count !== 1)).toEqual([]);

  const inTurn = run.killed.filter(({ running }) => running > 0).length;
  const inRestart = run.killed.filter(({ isRestarting }) => isRestarting).length;
  const repeats = run.posters.reduce((sum, poster) => sum + poster.repeats, 0);
  console.log(
    `  seed ${seed}: ${times} kills, ${inTurn} between claim and end, ${inRestart} inside a restart; ` +
      `${ends.size} messages, ${repeats} posts sent again`,
  );
  expect(inTurn).toBeGreaterThanOrEqual(times * 0.3);
  expect(inRestart).toBeGreaterThanOrEqual(Math.floor(times * 0.1));
});
