import { afterEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import { AcceptedSettings } from "../../src/settings/accepted.ts";
import { SettingsKeeper } from "../../src/settings/settings.ts";
import type { Store } from "../../src/store/store.ts";
import { watchFolder } from "../../src/watch/folder-watch.ts";
import { PathWatchers } from "../../src/watch/path-watchers.ts";
import { SharedWatchers } from "../../src/watch/shared-watchers.ts";
import { closeStores, openInMemory } from "../store/disk-store.ts";
import { eventually } from "../support/eventually.ts";
import { makeFolder } from "../support/workspace.ts";
import { type EditedPlace, type FileEdit, fileEdits, replace, textWith } from "./edits.ts";

/** Contract, promise 9: with the defaults an edit is in force within this time. */
const latestMs = 5000;

const watched = new Set<WatchedSettings>();

afterEach(async () => {
  for (const settings of watched) await settings.stop();
  watched.clear();
  await closeStores();
});

/** A settings file, the watch on it with the daemon's default times, and what came of it. */
class WatchedSettings {
  readonly place: EditedPlace;
  /** When each revision came into force. */
  readonly appliedAt: number[] = [];
  readonly told: string[] = [];
  readonly faults: unknown[] = [];
  readonly keeper: SettingsKeeper;
  readonly #watchers: PathWatchers;
  #hold: (() => Promise<void>) | undefined;

  constructor(mode: "native" | "polling") {
    const root = makeFolder("edits");
    const path = join(root, "settings", "settings.json");
    mkdirSync(dirname(path));
    const { store } = openInMemory();
    this.keeper = new SettingsKeeper({
      path,
      accepted: new AcceptedSettings(join(root, "accepted.json")),
      env: {},
      flags: [],
      clock: systemClock,
      store: this.#heldUp(store),
      learnSecrets: () => {},
      countAffected: () => ({ now: 0, atBoundary: 0, unaffected: 0 }),
      onChange: () => void this.appliedAt.push(performance.now()),
      onLooked: () => this.#watchers.watch(this.keeper.files),
      tell: (events) => void this.told.push(...events.map(({ type }) => type)),
      onFault: (thrown) => void this.faults.push(thrown),
    });
    this.#watchers = new PathWatchers({
      shared: new SharedWatchers({
        clock: systemClock,
        random: () => 0.5,
        watchFolder: mode === "native" ? watchFolder : refuse,
      }),
      clock: systemClock,
      pollMs: () => this.keeper.inForce.settings.reload.pollMs,
      onHint: (kind) => this.keeper.notice(kind),
      onFault: () => {},
    });
    const watch = (isOn: boolean): void =>
      isOn ? this.#watchers.watch(this.keeper.files) : this.#watchers.stop();
    this.place = { root, path, watch, holdNextApply: () => this.#holdNext() };
    watched.add(this);
  }

  get attempts(): number {
    return this.keeper.inForce.settings.turn.maxAttempts;
  }

  get mode(): "native" | "polling" {
    return this.#watchers.mode;
  }

  async start({ arrange, before = textWith(1) }: FileEdit): Promise<void> {
    writeFileSync(this.place.path, before);
    arrange?.(this.place);
    await this.keeper.start(true);
    this.appliedAt.length = 0;
    this.place.watch(true);
    // The look that arming asks for is over: from here on only the watch can tell.
    await this.keeper.look("file");
  }

  async stop(): Promise<void> {
    this.#watchers.stop();
    await this.keeper.stop();
  }

  #holdNext(): Promise<() => void> {
    return new Promise((reached) => {
      this.#hold = () => {
        this.#hold = undefined;
        return new Promise((resolve) => reached(resolve));
      };
    });
  }

  #heldUp(store: Store): Store {
    const record: Store["revisions"]["record"] = async (revision, events) => {
      await this.#hold?.();
      return store.revisions.record(revision, events);
    };
    return { ...store, revisions: { ...store.revisions, record } };
  }
}

function refuse(): never {
  throw new Error("no native watch is to be had");
}

/** Makes an edit and answers how late it was in force; undefined where it was rightly ignored. */
async function lateness(edit: FileEdit, mode: "native" | "polling"): Promise<number | undefined> {
  const settings = new WatchedSettings(mode);
  await settings.start(edit);
  expect([edit.name, settings.mode]).toEqual([edit.name, mode]);
  const made = (await edit.make(settings.place)) ?? performance.now();
  await eventually(`${edit.name} (${mode}) is in force`, () => settings.appliedAt.length >= edit.revisions);
  // What one more look finds nothing new in was seen whole, or rightly ignored.
  await settings.keeper.look("file");
  const after = edit.revisions === 0 && edit.before === undefined ? 1 : 2;
  const { name, revisions } = edit;
  expect({ name, revisions: settings.appliedAt.length, attempts: settings.attempts }).toEqual({
    name,
    revisions,
    attempts: after,
  });
  expect([name, settings.told, settings.faults]).toEqual([name, [], []]);
  const last = settings.appliedAt.at(-1);
  // And it goes on being watched.
  replace(settings.place.path, textWith(77));
  await eventually(`an edit after ${edit.name} (${mode}) is in force`, () => settings.attempts === 77);
  await settings.stop();
  return last === undefined ? undefined : last - made;
}

/** So long may this process have had to wait for a processor before what it was late with says nothing any more. */
const longestStallMs = 200;
const mostTries = 5;

/** Where the machine stood still in between, a pause of an edit was longer than the quiet time: it is made once more. */
async function undisturbed(edit: FileEdit, mode: "native" | "polling"): Promise<number | undefined> {
  for (let attempt = 1; ; attempt++) {
    let longestMs = 0;
    let lastAt = performance.now();
    const ticker = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - lastAt);
      lastAt = performance.now();
    }, 10);
    try {
      return await lateness(edit, mode);
    } catch (thrown) {
      if (longestMs < longestStallMs || attempt === mostTries) throw thrown;
    } finally {
      clearInterval(ticker);
    }
  }
}

function linesOf(mode: string, late: readonly (number | undefined)[]): string[] {
  const lines = fileEdits.map(({ name, revisions }, index) => {
    const ms = late[index];
    const told = ms === undefined ? "rightly ignored" : `${revisions} revisions, ${ms.toFixed(0)} ms late`;
    return `  ${name.padEnd(56)} ${told}`;
  });
  return [`Edits, ${mode} watching:`, ...lines];
}

test("every way in which the file can change is seen or rightly ignored, natively and by polling", async () => {
  const [native, polling] = await Promise.all(
    (["native", "polling"] as const).map((mode) =>
      Promise.all(fileEdits.map((edit) => undisturbed(edit, mode))),
    ),
  );
  console.log([...linesOf("native", native ?? []), ...linesOf("polling", polling ?? [])].join("\n"));
  const all = [...(native ?? []), ...(polling ?? [])].map((ms) => ms ?? 0);
  expect(all).toHaveLength(2 * fileEdits.length);
  expect(Math.max(...all)).toBeLessThan(latestMs);
}, 60_000);
