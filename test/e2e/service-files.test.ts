import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { NotifyListener } from "../support/notify-listener.ts";
import { freePort } from "../support/ports.ts";
import { startSegue } from "../support/segue.ts";
import { exampleText, UserShell } from "./user-shell.ts";

setDefaultTimeout(60_000);

const hasSystemd = process.platform === "linux" && Bun.which("systemd-analyze") !== null;
const units = ["segue.service", "segue-user.service"] as const;
const managers: NotifyListener[] = [];

afterEach(() => {
  for (const manager of managers.splice(0)) manager.close();
});

/** The values that a unit gives to a key, in their order. */
function valuesOf(unit: string, key: string): string[] {
  return Array.from(unit.matchAll(new RegExp(`^${key}=(.*)$`, "gm")), ([, value = ""]) => value);
}

/** A command line of a unit, for a shell: systemd's variables are written as a shell's are. */
function commandOf(unit: string, key: string): string[] {
  const [line = ""] = valuesOf(unit, key);
  return ["sh", "-c", `exec ${line.replace(/^\S+\/segue /, "segue ")}`];
}

describe.skipIf(process.platform !== "linux").each([...units])("%s", (name) => {
  test("starts a daemon that tells its manager, reloads, refuses a bad file by name and line, and stops", async () => {
    const unit = await exampleText(name);
    const state = (await UserShell.open()).folder;
    const address = join(state, "notify");
    const manager = new NotifyListener(address);
    managers.push(manager);
    const shell = await UserShell.open({
      env: { STATE_DIRECTORY: state, NOTIFY_SOCKET: address, WATCHDOG_USEC: "200000" },
    });
    const settings = name.includes("user")
      ? join(shell.folder, "config", "segue", "settings.json")
      : join(state, "settings.json");
    mkdirSync(dirname(settings), { recursive: true });
    const port = await freePort();
    writeFileSync(settings, JSON.stringify({ server: { port } }));

    const daemon = shell.start(commandOf(unit, "ExecStart"));
    await eventually("ready", () => manager.states().includes("READY"));
    await eventually("a sign of life", () => manager.told().some((state) => state.has("WATCHDOG")));
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    expect(await shell.run(commandOf(unit, "ExecReload"))).toMatchObject({ exitCode: 0 });
    writeFileSync(settings, `{ "turn": { "maxAttempts": 0 } }`);
    const refused = await shell.run(commandOf(unit, "ExecReload"));
    expect(refused).toMatchObject({ exitCode: 5 });
    expect(refused.stderr).toContain(`${settings}:1:`);
    daemon.signal("SIGTERM");
    expect(await daemon.ended()).toEqual({ exitCode: 0, signal: null });
    expect(manager.states().at(-1)).toBe("STOPPING");
    expect(daemon.stderr).toContain('"level":"INFO"');
  });

  test("gives it longer to stop than the grace, and lets the programs of its providers finish", async () => {
    const unit = await exampleText(name);
    const shell = await UserShell.open();
    const { stdout } = await shell.run(["segue", "get", "daemon.graceMs"]);
    expect(Number(valuesOf(unit, "TimeoutStopSec")) * 1000).toBeGreaterThan(Number(stdout) + 10_000);
    expect(Number(stdout)).toBeGreaterThan(0);
    expect(valuesOf(unit, "KillMode")).toEqual(["mixed"]);
    expect(valuesOf(unit, "Type")).toEqual(["notify"]);
  });

  test.skipIf(!hasSystemd)("is without a finding of systemd-analyze", async () => {
    const shell = await UserShell.open();
    const path = await shell.take(name, (text) =>
      text.replaceAll(/=\S+\/bin\/segue /g, `=${shell.folder}/bin/segue `),
    );
    const manager = name.includes("user") ? "--user" : "--system";
    const verified = await shell.run(["systemd-analyze", "verify", manager, "--man=no", path]);
    expect(verified.stderr.split("\n").filter((line) => line.includes(name))).toEqual([]);
  });
});

test.skipIf(!hasSystemd)("segue.service is exposed to little, as systemd-analyze judges", async () => {
  const shell = await UserShell.open();
  const path = await shell.take("segue.service");
  const { stdout } = await shell.run(["systemd-analyze", "security", "--no-pager", "--offline=true", path]);
  const [, level] = /Overall exposure level for segue\.service: ([\d.]+)/.exec(stdout) ?? [];
  console.log(`segue.service: exposure level ${level} of 10`);
  expect(Number(level)).toBeLessThan(2);
});

describe("Containerfile", () => {
  /** What a line of the file says after its word, those that go on joined. */
  const valueOf = (text: string, word: string): string =>
    new RegExp(`^${word} (.*)$`, "m").exec(text.replaceAll(/\\\n\s*/g, ""))?.[1] ?? "";
  const listIn = (value: string): string[] => JSON.parse(value.slice(value.indexOf("[")));

  test("starts a daemon that wants its token, is healthy, and ends at the signal that the file names", async () => {
    const text = await exampleText("Containerfile");
    const place = (await UserShell.open()).folder;
    const here = valueOf(text, "ENV").replaceAll("/var/lib/segue", place).split(" ");
    const env = Object.fromEntries(here.map((pair) => pair.split("=", 2)));
    const shell = await UserShell.open({ env: { ...env, SEGUE_TOKEN: "a-token-of-some-length" } });
    const [, , program = "", ...more] = listIn(valueOf(text, "ENTRYPOINT"));
    const command = [program, ...more, ...listIn(valueOf(text, "CMD"))];
    const container = shell.start([...command, "--port", "0"]);
    const [, port = ""] = await container.waitForOutput(/listening on http:\/\/[^:]+:(\d+)/);
    const ask = (headers: Record<string, string>): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/api/stats`, { headers });
    expect((await ask({})).status).toBe(401);
    expect((await ask({ Authorization: "Bearer a-token-of-some-length" })).status).toBe(200);
    const health = await shell.run(listIn(valueOf(text, "HEALTHCHECK")));
    expect(health).toMatchObject({ exitCode: 0 });
    expect(valueOf(text, "STOPSIGNAL")).toBe("SIGTERM");
    container.signal("SIGTERM");
    expect(await container.ended()).toEqual({ exitCode: 0, signal: null });
    expect(await shell.run(listIn(valueOf(text, "HEALTHCHECK")))).toMatchObject({ exitCode: 6 });
  });

  test("does not start a daemon that anybody may speak to", async () => {
    const text = await exampleText("Containerfile");
    const shell = await UserShell.open();
    const run = await shell.run(["segue", ...listIn(valueOf(text, "CMD")), "--port", "0"]);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toMatch(/server\.token.*SEGUE_TOKEN/);
  });
});

describe("alerts.yml", () => {
  test("asks for nothing that /metrics does not have", async () => {
    const rules = Bun.YAML.parse(await exampleText("alerts.yml"));
    const expressions = Array.from(
      JSON.stringify(rules).matchAll(/"expr":"(.*?[^\\])"/g),
      ([, text]) => text,
    );
    expect(expressions.length).toBeGreaterThan(5);
    const asked = new Set(expressions.flatMap((text) => text?.match(/\b(segue|process)_[a-z_]+/g) ?? []));
    const daemon = await startSegue({ settings: {} });
    const known = new Set((await (await daemon.request("/metrics")).text()).match(/^\w+(?=[ {])/gm) ?? []);
    expect([...asked].filter((name) => !known.has(name))).toEqual([]);
    expect(asked.size).toBeGreaterThan(4);
    await daemon.stop();
  });

  test.skipIf(!Bun.which("promtool"))("is without a finding of promtool", async () => {
    const shell = await UserShell.open();
    const path = await shell.take("alerts.yml");
    expect(await shell.run(["promtool", "check", "rules", path])).toMatchObject({ exitCode: 0 });
  });
});
