import { afterEach, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import { SegueError } from "../../src/core/errors.ts";
import { AcceptedSettings } from "../../src/settings/accepted.ts";
import { SettingsKeeper } from "../../src/settings/settings.ts";
import type { Store } from "../../src/store/store.ts";
import { type Interception, interceptedStore } from "../sessions/intercepted-store.ts";
import { closeStores, openInMemory } from "../store/disk-store.ts";
import { makeFolder } from "../support/workspace.ts";

afterEach(closeStores);

const attempts = (count: number): string => JSON.stringify({ turn: { maxAttempts: count } });

/** A settings file, a store that can be made to fail, and one start of the daemon after the other. */
function setup() {
  const root = makeFolder("accepted");
  const path = join(root, "settings.json");
  const interception: Interception = { before: () => undefined, isDead: false };
  const { store } = openInMemory();
  const changed: (readonly string[])[] = [];
  /** How the file stood, as told in the moment in which a revision came into force. */
  const standing: { problems: number; waiting: boolean }[] = [];
  const start = async (over: Store = interceptedStore(store, interception)): Promise<SettingsKeeper> => {
    const keeper: SettingsKeeper = new SettingsKeeper({
      path,
      accepted: new AcceptedSettings(join(root, "accepted.json")),
      env: {},
      flags: [],
      clock: systemClock,
      store: over,
      learnSecrets: () => {},
      countAffected: () => ({ now: 0, atBoundary: 0, unaffected: 0 }),
      onChange: (_, plan) => {
        changed.push(plan.changedKeys);
        standing.push({ problems: keeper.problems.length, waiting: keeper.waiting !== null });
      },
      onLooked: () => {},
      tell: () => {},
      onFault: () => {},
    });
    await keeper.start(false);
    return keeper;
  };
  return { path, keyFile: join(root, "key"), store, interception, changed, standing, start };
}

test("settings whose revision could not be recorded are not the last accepted ones", async () => {
  const { path, interception, start } = setup();
  writeFileSync(path, attempts(2));
  const first = await start();
  interception.before = (operation) =>
    operation === "revisions.record" ? Promise.reject(new SegueError("storage", "it fails")) : undefined;
  writeFileSync(path, attempts(3));
  await first.look("file");
  await first.stop();
  rmSync(path);
  const second = await start();
  expect(second.inForce.settings.turn.maxAttempts).toBe(2);
});

test("settings whose revision was recorded just before the process was killed are the last accepted ones", async () => {
  const { path, store, start } = setup();
  writeFileSync(path, attempts(2));
  const first = await start();
  const recorded = Promise.withResolvers<void>();
  // From the commit on nothing of this process happens any more.
  const record: Store["revisions"]["record"] = async (...given) => {
    await store.revisions.record(...given);
    recorded.resolve();
    return new Promise<never>(() => {});
  };
  await first.stop();
  const second = await start({ ...store, revisions: { ...store.revisions, record } });
  writeFileSync(path, attempts(3));
  second.look("file").catch(() => {});
  await recorded.promise;
  rmSync(path);
  expect((await start()).inForce.settings.turn.maxAttempts).toBe(3);
});

test("what a start changed is told against what was in force", async () => {
  const { path, interception, changed, start } = setup();
  writeFileSync(path, attempts(2));
  const first = await start();
  interception.before = (operation) =>
    operation === "revisions.record" ? Promise.reject(new SegueError("storage", "it fails")) : undefined;
  writeFileSync(path, attempts(3));
  await first.look("file");
  await first.stop();
  interception.before = () => undefined;
  await start();
  expect(changed).toEqual([["turn.maxAttempts"], ["turn.maxAttempts"]]);
});

test("a key whose reference leads elsewhere since the last run is told to have changed", async () => {
  const { path, keyFile, changed, start } = setup();
  const provider = { kind: "openai", baseUrl: "http://first.example/v1", model: "one", apiKey: "file:key" };
  const text = JSON.stringify({ provider: "first", providers: { first: provider }, log: { level: "warn" } });
  writeFileSync(keyFile, "one-key");
  writeFileSync(path, text);
  await (await start()).stop();
  writeFileSync(keyFile, "another-key");
  await (await start()).stop();
  writeFileSync(keyFile, "a-third-key");
  writeFileSync(path, "{");
  await (await start()).stop();
  rmSync(keyFile);
  const second = { ...provider, apiKey: "a-third-key" };
  writeFileSync(path, JSON.stringify({ provider: "second", providers: { second }, log: { level: "warn" } }));
  await (await start()).stop();
  expect(changed.slice(1)).toEqual([
    ["providers.first.apiKey"],
    ["providers.first.apiKey"],
    [
      "provider",
      ...["apiKey", "baseUrl", "kind", "model"].map((key) => `providers.first.${key}`),
      ...["apiKey", "baseUrl", "kind", "model"].map((key) => `providers.second.${key}`),
    ],
  ]);
});

test("from the moment a revision is in force nothing of its file is told to be wrong, or to wait", async () => {
  const { path, standing, start } = setup();
  writeFileSync(path, attempts(2));
  const keeper = await start();
  writeFileSync(path, attempts(0));
  await keeper.look("file");
  expect(keeper.problems).toHaveLength(1);
  writeFileSync(path, JSON.stringify({ turn: { maxAttempts: 3 }, reload: { mode: "manual" } }));
  await keeper.look("file");
  writeFileSync(path, JSON.stringify({ turn: { maxAttempts: 4 }, reload: { mode: "manual" } }));
  await keeper.look("file");
  expect(keeper.waiting).not.toBeNull();
  await keeper.apply();
  expect(standing.slice(1)).toEqual([
    { problems: 0, waiting: false },
    { problems: 0, waiting: false },
  ]);
});
