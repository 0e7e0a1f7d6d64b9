import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SegueError } from "../../src/core/errors.ts";
import {
  dataFolder,
  type DataFolder,
  lockDataFolder,
  makeDataFolder,
  readInstance,
  removeInstance,
  writeInstance,
} from "../../src/daemon/instance.ts";
import { openDatabase } from "../../src/platform/bun.ts";
import { cleanEnv, startChild } from "../support/processes.ts";
import { makeFolder } from "../support/workspace.ts";

const instance = {
  pid: 4711,
  url: "http://127.0.0.1:4747",
  socket: "/data/segue.sock",
  instanceId: "boot_1",
  version: "0.1.0",
  startedAt: "2026-01-01T00:00:00.000Z",
};

const source = join(import.meta.dir, "..", "..", "src");
/** A program that holds the data folder named by its argument until it is killed. */
const holdingLock = `
  const { dataFolder, lockDataFolder } = await import("${source}/daemon/instance.ts");
  const { openDatabase } = await import("${source}/platform/bun.ts");
  await lockDataFolder(dataFolder(process.argv[1]), openDatabase);
  console.log("holding");
  await new Promise(() => setInterval(() => {}, 60_000));
`;

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

async function madeFolder(): Promise<DataFolder> {
  const folder = dataFolder(join(makeFolder("data"), "deep", "data"));
  await makeDataFolder(folder);
  return folder;
}

async function faultOf(asked: Promise<unknown>): Promise<SegueError> {
  const thrown: unknown = await asked.then(
    () => undefined,
    (reason) => reason,
  );
  if (thrown instanceof SegueError) return thrown;
  throw new Error(`it was not refused: ${String(thrown)}`);
}

describe("the data folder", () => {
  test("has the names of the contract", () => {
    expect(dataFolder("/data")).toMatchObject({
      path: "/data",
      store: "/data/segue.db",
      socket: "/data/segue.sock",
      instance: "/data/daemon.json",
    });
  });

  test("is made with all above it, for its owner alone", async () => {
    expect(modeOf((await madeFolder()).path)).toBe("700");
  });

  test("is closed to others where it is one, or empty", async () => {
    for (const file of [undefined, "segue.db"]) {
      const folder = dataFolder(makeFolder("data"));
      if (file !== undefined) writeFileSync(join(folder.path, file), "");
      chmodSync(folder.path, 0o755);
      await makeDataFolder(folder);
      expect(modeOf(folder.path)).toBe("700");
    }
  });

  test("that holds other things is left as open as it is", async () => {
    const folder = dataFolder(makeFolder("data"));
    writeFileSync(join(folder.path, "thesis.txt"), "");
    chmodSync(folder.path, 0o755);
    await makeDataFolder(folder);
    expect(modeOf(folder.path)).toBe("755");
  });

  test("that cannot be made is refused by name, with a way out", async () => {
    const place = makeFolder("data");
    writeFileSync(join(place, "file"), "");
    const fault = await faultOf(makeDataFolder(dataFolder(join(place, "file", "data"))));
    expect(fault.code).toBe("storage");
    expect(fault.message).toContain(join(place, "file", "data"));
    expect(fault.hint).toContain("--data");
  });
});

describe("the lock", () => {
  test("is held by one at a time", async () => {
    const folder = await madeFolder();
    const release = await lockDataFolder(folder, openDatabase);
    expect((await faultOf(lockDataFolder(folder, openDatabase))).code).toBe("already_running");
    release();
    (await lockDataFolder(folder, openDatabase))();
  });

  test("names who holds it, and what can be done", async () => {
    const folder = await madeFolder();
    const release = await lockDataFolder(folder, openDatabase);
    const nameless = await faultOf(lockDataFolder(folder, openDatabase));
    expect(nameless.message).toBe(`another daemon holds the data folder ${folder.path}`);
    await writeInstance(folder, instance);
    const named = await faultOf(lockDataFolder(folder, openDatabase));
    expect(named.message).toContain("pid 4711 at http://127.0.0.1:4747");
    expect(named.message).toContain(folder.path);
    expect(named.hint).toContain("segue stop");
    expect(named.exitCode).toBe(3);
    release();
  });

  test("goes with the process that holds it, however that ends", async () => {
    const folder = await madeFolder();
    const holder = startChild({
      command: [process.execPath, "-e", holdingLock, folder.path],
      cwd: folder.path,
      env: cleanEnv(folder.path),
    });
    await holder.waitForOutput(/holding/);
    expect((await faultOf(lockDataFolder(folder, openDatabase))).code).toBe("already_running");
    await holder.kill();
    (await lockDataFolder(folder, openDatabase))();
  });

  test("that cannot be taken for another reason is refused as such", async () => {
    const folder = await madeFolder();
    mkdirSync(folder.lock);
    const fault = await faultOf(lockDataFolder(folder, openDatabase));
    expect(fault.code).toBe("storage");
    expect(fault.message).toContain(folder.path);
  });
});

describe("daemon.json", () => {
  test("says who serves, to its owner alone, and is gone when nobody does", async () => {
    const folder = await madeFolder();
    await writeInstance(folder, instance);
    expect(modeOf(folder.instance)).toBe("600");
    expect(JSON.parse(readFileSync(folder.instance, "utf8"))).toEqual(instance);
    expect(await readInstance(folder)).toEqual(instance);
    await writeInstance(folder, { ...instance, pid: 2, socket: null });
    expect(await readInstance(folder)).toMatchObject({ pid: 2, socket: null });
    await removeInstance(folder);
    await removeInstance(folder);
    expect(await readInstance(folder)).toBeUndefined();
  });

  test.each(["", "{", "null", "[]", "{}", `{"pid": "4711"}`])("that holds %j says nothing", async (text) => {
    const folder = await madeFolder();
    writeFileSync(folder.instance, text);
    expect(await readInstance(folder)).toBeUndefined();
  });
});
