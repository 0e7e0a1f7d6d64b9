import { afterEach, expect, test } from "bun:test";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import { SegueError } from "../../src/core/errors.ts";
import { type Files, systemFiles } from "../../src/core/files.ts";
import { AcceptedSettings } from "../../src/settings/accepted.ts";
import { SettingsFile } from "../../src/settings/settings-file.ts";
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

/** A process that is killed between the record of a revision and the bytes of this text. */
async function killedRightAfterRecord(
  { path, store, start }: ReturnType<typeof setup>,
  text: string,
): Promise<void> {
  await (await start()).stop();
  const recorded = Promise.withResolvers<void>();
  // From the commit on nothing of this process happens any more.
  const record: Store["revisions"]["record"] = async (...given) => {
    await store.revisions.record(...given);
    recorded.resolve();
    return new Promise<never>(() => {});
  };
  const keeper = await start({ ...store, revisions: { ...store.revisions, record } });
  writeFileSync(path, text);
  keeper.look("file").catch(() => {});
  await recorded.promise;
}

test("settings whose revision was recorded just before the process was killed are the last accepted ones", async () => {
  const parts = setup();
  writeFileSync(parts.path, attempts(2));
  await killedRightAfterRecord(parts, attempts(3));
  rmSync(parts.path);
  expect((await parts.start()).inForce.settings.turn.maxAttempts).toBe(3);
});

test("they are that too where something they refer to says something else by then", async () => {
  const parts = setup();
  const { path, keyFile, changed, start } = parts;
  writeFileSync(path, attempts(2));
  writeFileSync(keyFile, "one");
  await killedRightAfterRecord(parts, JSON.stringify({ turn: { maxAttempts: 3, system: "file:key" } }));
  writeFileSync(keyFile, "another");
  rmSync(path);
  const { settings } = (await start()).inForce;
  expect(settings.turn).toMatchObject({ maxAttempts: 3, system: "another" });
  expect(changed.at(-1)).toEqual(["turn.system"]);
});

test("they are that too where something they refer to is gone by then", async () => {
  const parts = setup();
  const { path, keyFile, changed, start } = parts;
  writeFileSync(path, attempts(2));
  writeFileSync(keyFile, "one");
  await killedRightAfterRecord(parts, JSON.stringify({ turn: { maxAttempts: 3, system: "file:key" } }));
  rmSync(keyFile);
  expect(await start().catch((thrown: unknown) => thrown)).toMatchObject({ code: "settings_invalid" });
  writeFileSync(keyFile, "one");
  rmSync(path);
  expect((await start()).inForce.settings.turn).toMatchObject({ maxAttempts: 3, system: "one" });
  expect(changed.flat()).toEqual(["turn.maxAttempts"]);
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

/** The file of accepted settings alone; `faults` are what the next writes of one meet. */
function setupFile() {
  const path = join(makeFolder("accepted"), "accepted.json");
  const faults: Error[] = [];
  const files: Files = {
    ...systemFiles,
    fsync: (...given) => {
      const fault = faults.shift();
      return fault ? Promise.reject(fault) : systemFiles.fsync(...given);
    },
    rename: (...given) => {
      const fault = faults.shift();
      return fault ? Promise.reject(fault) : systemFiles.rename(...given);
    },
  };
  return { accepted: new AcceptedSettings(path, files), faults, proposed: `${path}.new` };
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const full = (): Error => Object.assign(new Error("no room"), { code: "ENOSPC" });

test("what is proposed is kept, whatever was laid ready before", async () => {
  const { accepted } = setupFile();
  for (const [ready, proposed] of [
    ["one", "one"],
    ["two", "three"],
    ["four", "one"],
  ] as const) {
    accepted.prepare(bytesOf(ready));
    await accepted.propose(bytesOf(proposed));
    await accepted.keep();
    expect(await accepted.read()).toEqual(bytesOf(proposed));
  }
});

test("what was laid ready and is not kept is taken away", async () => {
  const { accepted, proposed } = setupFile();
  await accepted.propose(bytesOf("one"));
  await accepted.keep();
  accepted.prepare(bytesOf("two"));
  accepted.prepare(bytesOf("three"));
  await accepted.drop();
  expect(existsSync(proposed)).toBe(false);
  expect(await accepted.read()).toEqual(bytesOf("one"));
  accepted.prepare(bytesOf("three"));
  await accepted.propose(bytesOf("three"));
  await accepted.keep();
  expect(await accepted.read()).toEqual(bytesOf("three"));
});

test("what could not be laid ready is laid when it is proposed, or it is told why not", async () => {
  const { accepted, faults } = setupFile();
  faults.push(full());
  accepted.prepare(bytesOf("one"));
  expect(await accepted.propose(bytesOf("one")).catch((thrown: unknown) => thrown)).toMatchObject({
    code: "storage_full",
  });
  await accepted.propose(bytesOf("one"));
  await accepted.keep();
  expect(await accepted.read()).toEqual(bytesOf("one"));
});

test("what is in force and could not be kept stays laid ready for the next start", async () => {
  const { accepted, faults } = setupFile();
  await accepted.propose(bytesOf("one"));
  faults.push(full());
  expect(await accepted.keep().catch((thrown: unknown) => thrown)).toMatchObject({ code: "storage_full" });
  await accepted.drop();
  await accepted.settle((bytes) => bytes !== null && new TextDecoder().decode(bytes) === "one");
  expect(await accepted.read()).toEqual(bytesOf("one"));
});

test("equal bytes are judged anew where a file they refer to is another", () => {
  const root = makeFolder("accepted");
  const path = join(root, "settings.json");
  writeFileSync(path, JSON.stringify({ turn: { system: "file:system.txt" } }));
  const file = new SettingsFile({ path, env: {}, flags: [] });
  const judged = (text: string): unknown => {
    writeFileSync(join(root, "system.txt"), text);
    const result = file.judge(file.look(), false);
    return result.kind === "ok" ? result.reading.settings.turn.system : result.problems;
  };
  expect([judged("one"), judged("two"), judged("one")]).toEqual(["one", "two", "one"]);
});

test("a stop in the quiet time takes the file as it is then, not as it was when it was touched", async () => {
  const { path, start } = setup();
  writeFileSync(path, JSON.stringify({ reload: { debounceMs: 5000 }, turn: { maxAttempts: 2 } }));
  const keeper = await start();
  writeFileSync(path, attempts(3));
  keeper.notice("event");
  // The look that the touch begins with is over when the loop has had its turn.
  await new Promise((resolve) => setImmediate(resolve));
  writeFileSync(path, "{");
  await keeper.stop();
  expect([keeper.inForce.revision, keeper.inForce.settings.turn.maxAttempts]).toEqual([1, 2]);
});
