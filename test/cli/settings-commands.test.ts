import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Segue, startSegue } from "../support/segue.ts";
import { type Home, makeHome } from "./segue.ts";

const file = '{\n  // mine\n  "turn": { "maxAttempts": 3 },\n}\n';

describe("without a daemon", () => {
  function homeWith(text: string): { home: Home; path: string } {
    const home = makeHome();
    const path = join(home.folder, "settings.json");
    writeFileSync(path, text);
    return { home, path };
  }

  test("set writes the file, comments kept, and says what changes", async () => {
    const { home, path } = homeWith(file);
    const run = await home.segue(["set", "turn.maxAttempts", "7", "--settings", path]);
    expect(run).toMatchObject({ exitCode: 0, stdout: "turn.maxAttempts: at once\n" });
    expect(run.stderr).toContain(`Wrote ${path}; no daemon runs on it.`);
    expect(readFileSync(path, "utf8")).toBe(file.replace("3", "7"));
  });

  test("a key that takes text gets what was written, whatever it looks like", async () => {
    const { home, path } = homeWith("{}");
    await home.segue(["set", "providers.openai.apiKey", "12345678", "--settings", path]);
    await home.segue(["set", "turn.system", '{"be": "brief"}', "--settings", path]);
    await home.segue(["set", "fallback", '["gemini"]', "--settings", path]);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({
      providers: { openai: { apiKey: "12345678" } },
      turn: { system: '{"be": "brief"}' },
      fallback: ["gemini"],
    });
  });

  test("set makes the file where there is none, for its user alone", async () => {
    const home = makeHome();
    await home.segue(["set", "provider", "echo"]);
    const path = join(home.folder, ".config", "segue", "settings.json");
    expect(readFileSync(path, "utf8")).toBe('{\n  "provider": "echo"\n}\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("unset brings the default back; with --dry-run both only tell", async () => {
    const { home, path } = homeWith(file);
    expect(await home.segue(["unset", "turn.maxAttempts", "--dry-run", "--settings", path])).toMatchObject({
      exitCode: 0,
      stdout: "turn.maxAttempts: at once\n",
    });
    expect(readFileSync(path, "utf8")).toBe(file);
    await home.segue(["unset", "turn.maxAttempts", "--settings", path]);
    expect(readFileSync(path, "utf8")).toBe(file.replace('"maxAttempts": 3 ', ""));
  });

  test("a value that is not valid is refused with its place, and nothing is written", async () => {
    const { home, path } = homeWith(file);
    const run = await home.segue(["set", "turn.maxAttempts", "0", "--settings", path]);
    expect(run.exitCode).toBe(5);
    expect(run.stderr).toContain(`${path}:3:28: turn.maxAttempts must be at least 1 (got 0)`);
    expect(readFileSync(path, "utf8")).toBe(file);
  });

  test("a key that is none is an error of usage that names the nearest one", async () => {
    const { home, path } = homeWith(file);
    const run = await home.segue(["set", "turn.maxAttemps", "1", "--settings", path]);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain("did you mean turn.maxAttempts?");
    expect((await home.segue(["get", "nothing", "--settings", path])).exitCode).toBe(2);
  });

  test("get prints all settings, a group, or one value; secrets are masked", async () => {
    const { home, path } = homeWith(
      '{ "providers": { "my.own": { "kind": "openai", "model": "m", "apiKey": "sk-marked-1" } } }',
    );
    const get = (...args: string[]) => home.segue(["get", ...args, "--settings", path]);
    expect((await get("turn.maxAttempts")).stdout).toBe("5\n");
    expect((await get("server.host")).stdout).toBe("127.0.0.1\n");
    expect((await get("server.host", "--json")).stdout).toBe('"127.0.0.1"\n');
    expect(JSON.parse((await get("providers.my.own")).stdout)).toMatchObject({ model: "m", apiKey: "••••" });
    expect((await get("providers.my.own.apiKey")).stdout).toBe("••••\n");
    expect(await get("server.token")).toMatchObject({
      exitCode: 0,
      stdout: "",
      stderr: "server.token is not set.\n",
    });
    const all = await get("--json");
    expect(JSON.parse(all.stdout)).toMatchObject({
      path,
      settings: { provider: "echo" },
      sources: { provider: { source: "default" } },
    });
    expect(all.stdout).not.toContain("sk-marked");
  });

  test("schema prints the JSON Schema", async () => {
    const run = await makeHome().segue(["schema"]);
    expect(JSON.parse(run.stdout)).toMatchObject({ title: "Segue settings" });
  });

  test.each(["apply", "reload", "release", "history", "plan", "rollback 1"])(
    "%s says that no daemon answers",
    async (line) => {
      expect((await makeHome().segue(line.split(" "))).exitCode).toBe(6);
    },
  );
});

describe("with a daemon", () => {
  let daemon: Segue;
  let home: Home;
  beforeAll(async () => {
    daemon = await startSegue({ settings: file, scope: "file" });
  });
  afterAll(async () => {
    await daemon.stop();
  });

  const segue = (...args: string[]) => {
    home = makeHome();
    return home.segue(args, { env: { SEGUE_DATA: daemon.dataDir } });
  };

  test("set returns once it is in force, over the socket, where references may be set", async () => {
    const run = await segue("set", "providers.command.argv", '["cat", "$HOME"]');
    expect(run).toMatchObject({
      exitCode: 0,
      stdout:
        "providers.command.argv: with the next turn\nsessions: 0 now, 0 at the end of their turn, 0 not affected\n",
    });
    expect(run.stderr).toBe("Revision 2 is in force.\n");
    expect(readFileSync(daemon.settingsPath, "utf8")).toContain("// mine");
    expect(await daemon.get<object>("/api/settings")).toMatchObject({ revision: 2 });
  });

  test("get, history, rollback, plan and reload speak of the same settings", async () => {
    expect((await segue("get", "providers.command.argv")).stdout).toBe('["cat","$HOME"]\n');
    expect((await segue("history")).stdout).toMatch(
      /^2\t\S+\tapi\tproviders\.command\.argv\n1\t\S+\tstart\tturn\.maxAttempts\n$/,
    );
    const back = await segue("rollback", "1");
    expect(back).toMatchObject({ exitCode: 0, stderr: "Revision 3 is in force.\n" });
    expect(readFileSync(daemon.settingsPath, "utf8")).toBe(file);
    expect((await segue("plan")).stdout).toBe("Nothing waits: revision 3 is in force.\n");
    expect((await segue("reload")).stdout).toBe("Revision 3 is in force.\n");
    expect((await segue("rollback", "99")).stderr).toContain("there is no revision 99");
    expect((await segue("release", "--json")).stdout).toContain('"revision":3');
  });

  test("plan FILE says what the file would change, and with problems what they are", async () => {
    const other = join(daemon.dataDir, "..", "other.json");
    writeFileSync(
      other,
      '{ "turn": { "maxAttempts": 3 }, "provider": "echo", "log": { "level": "warn" } } // mine',
    );
    expect((await segue("plan", other)).stdout).toStartWith("log.level: at once\n");
    writeFileSync(other, '{\n "turn": 5, }');
    expect(await segue("plan", other)).toMatchObject({
      exitCode: 5,
      stderr: `${other}: turn must be an object (got 5)\n`,
    });
    writeFileSync(other, "{\n]");
    expect((await segue("plan", other)).stderr).toStartWith(`${other}:2:1: `);
    expect(await segue("plan", "nothing.json")).toEqual({
      exitCode: 5,
      stdout: "",
      stderr: "segue: nothing.json cannot be read: there is no such file.\n",
    });
  });

  test("in manual mode plan shows what waits, and apply puts it in force", async () => {
    await segue("set", "reload.mode", "manual");
    const manual = readFileSync(daemon.settingsPath, "utf8");
    writeFileSync(daemon.settingsPath, manual.replace('"maxAttempts": 3', '"maxAttempts": 4'));
    expect((await segue("plan")).stdout).toStartWith("turn.maxAttempts: at once\n");
    expect((await segue("set", "provider", "echo")).stderr).toContain("waits to be applied");
    expect((await segue("apply")).stdout).toBe("Revision 5 is in force.\n");
    expect(await segue("apply")).toMatchObject({ exitCode: 1, stdout: "" });
  });

  test("a settings file that is named and not the daemon's is edited by itself", async () => {
    const other = join(daemon.dataDir, "..", "mine.json");
    writeFileSync(other, "{}");
    const run = await segue("set", "provider", "echo", "--settings", other);
    expect(run.stderr).toContain(`Wrote ${other}`);
    expect((await segue("get", "provider", "--settings", daemon.settingsPath, "--json")).stdout).toBe(
      '"echo"\n',
    );
  });
});
