import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runSegue, startSegue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";
import { mountDisk, unmountDisks, whyNoMount } from "./small-disk.ts";

setDefaultTimeout(60_000);

afterEach(unmountDisks);

/** A refused start: one sentence, a way out, nothing of the program's inside. */
async function expectRefused(dataDir: string, ...said: (string | RegExp)[]): Promise<void> {
  const folder = makeFolder("refused");
  const settings = join(folder, "settings.json");
  writeFileSync(settings, "{}");
  const run = await runSegue(["serve", "--settings", settings, "--data", dataDir, "--port", "0"], { folder });
  expect(run).toMatchObject({ exitCode: 1, signal: null, stdout: "" });
  for (const part of said) expect(run.stderr).toMatch(part);
  expect(run.stderr).toMatch(/^segue: \S+ \S+/);
  expect(run.stderr).not.toMatch(/^\s+at |\bError:|should not|bunfs|\.ts:\d|undefined/m);
  expect(run.stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(3);
}

/** A data folder in which a daemon has worked and stopped. */
async function usedFolder(dataDir = join(makeFolder("used"), "data")): Promise<string> {
  const segue = await startSegue({ dataDir, settings: {} });
  await segue.post("/api/sessions/a/messages", { content: "one" }, { Prefer: "wait=30" });
  for (let count = 0; count < 50; count++)
    await segue.post("/api/sessions/b/messages", { content: `${count} ${"x".repeat(2000)}` });
  await segue.stop();
  return dataDir;
}

describe("a store that is damaged is refused, with a way out, and left as it is:", () => {
  test.each<[string, (path: string) => void]>([
    ["overwritten from its beginning", (path) => writeFileSync(path, "no database ".repeat(1000))],
    ["cut in the middle of its first page", (path) => truncateSync(path, 3000)],
  ])("%s", async (_, damage) => {
    const dataDir = await usedFolder();
    const path = join(dataDir, "segue.db");
    damage(path);
    const before = readFileSync(path);
    await expectRefused(dataDir, "segue.db", /damaged/, "--data");
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("a folder where the store should be", async () => {
    const dataDir = join(makeFolder("damaged"), "data");
    mkdirSync(join(dataDir, "segue.db"), { recursive: true });
    await expectRefused(dataDir, /store|data folder/);
  });
});

test("a store damaged inside is told where it cannot be read, and the daemon lives on", async () => {
  const dataDir = await usedFolder();
  const path = join(dataDir, "segue.db");
  const bytes = readFileSync(path);
  bytes.fill(0xa5, Math.floor(bytes.length / 2), bytes.length - 4096);
  writeFileSync(path, bytes);
  const segue = await startSegue({ dataDir });
  const response = await segue.request("/api/sessions/b/messages?limit=1000");
  expect(response.status).toBe(503);
  const detail = expect.stringMatching(/segue\.db .*damaged.*copy/);
  expect(await response.json()).toMatchObject({ code: "storage", detail });
  expect((await segue.request("/healthz")).status).toBe(200);
  await segue.stop();
});

const reason = whyNoMount();
if (reason !== undefined) console.log(`  a read-only file system is not tried: ${reason}`);

describe("a data folder that cannot be written is refused, with a way out:", () => {
  test.skipIf(reason !== undefined)("on a read-only file system, used or new", async () => {
    const disk = mountDisk(6 * 1024);
    const used = await usedFolder(join(disk.path, "data"));
    disk.makeReadOnly();
    await expectRefused(used, used, "--data");
    await expectRefused(join(disk.path, "new"), join(disk.path, "new"), "--data");
  });

  test.skipIf(process.getuid?.() === 0).each(["", "segue.db", "segue.lock"])(
    "closed to this user (data/%s)",
    async (name) => {
      const dataDir = await usedFolder();
      const path = join(dataDir, name);
      const mode = name === "" ? 0o500 : 0o400;
      chmodSync(path, mode);
      await expectRefused(dataDir, "--data");
      expect(statSync(path).mode & 0o777).toBe(mode);
      chmodSync(path, 0o700);
    },
  );
});
