import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { NotifyListener } from "../support/notify-listener.ts";
import { startSegue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";

setDefaultTimeout(60_000);

const listening: NotifyListener[] = [];

function listenAt(address: string): NotifyListener {
  const listener = new NotifyListener(address);
  listening.push(listener);
  return listener;
}

afterEach(() => {
  for (const listener of listening.splice(0)) listener.close();
});

const addresses: [kind: string, address: () => string][] = [
  ["a path", () => join(makeFolder("manager"), "notify")],
  ["an abstract name", () => `@segue-test-${randomUUID()}`],
];

describe.skipIf(process.platform !== "linux")("a service manager", () => {
  test.each(addresses)(
    "that listens at %s is told of the whole life of the daemon",
    async (_kind, makeAddress) => {
      const address = makeAddress();
      const manager = listenAt(address);
      const segue = await startSegue({ settings: {}, env: { NOTIFY_SOCKET: address } });
      await eventually("ready", () => manager.states().length === 1);
      expect(manager.told()[0]?.get("STATUS")).toBe(`Serving at ${segue.url}`);

      segue.process.signal("SIGHUP");
      await eventually("reloaded", () => manager.states().length === 3);
      await segue.post("/api/daemon/restart");
      await eventually("restarted", () => manager.states().length === 5);
      await segue.post("/api/daemon/restart", { upgrade: true });
      await eventually("upgraded", () => manager.states().length === 7);
      await segue.stop();
      const reloaded = ["RELOADING", "READY"];
      expect(manager.states()).toEqual(["READY", ...reloaded, ...reloaded, ...reloaded, "STOPPING"]);

      const times = manager.told().flatMap((state) => state.get("MONOTONIC_USEC") ?? []);
      expect(times.every((time) => /^[1-9]\d*$/.test(time))).toBe(true);
      expect(Number(times[1])).toBeGreaterThan(Number(times[0]));
      // The grace is 20 s; the unit may have less.
      expect(Number(manager.told().at(-1)?.get("EXTEND_TIMEOUT_USEC"))).toBeGreaterThan(20_000_000);
    },
  );

  test("with a watchdog hears again and again that the daemon is alive, and one for another process does not", async () => {
    const folder = makeFolder("manager");
    const start = (name: string, more: Record<string, string>) =>
      startSegue({
        settings: {},
        env: { NOTIFY_SOCKET: join(folder, name), WATCHDOG_USEC: "100000", ...more },
      });
    const watching = listenAt(join(folder, "watching"));
    const elsewhere = listenAt(join(folder, "elsewhere"));
    const [first, second] = await Promise.all([
      start("watching", {}),
      start("elsewhere", { WATCHDOG_PID: "1" }),
    ]);
    const signs = (manager: NotifyListener): number =>
      manager.told().filter((state) => state.get("WATCHDOG") === "1").length;
    await eventually("signs of life", () => signs(watching) >= 5);
    expect(signs(elsewhere)).toBe(0);
    await Promise.all([first.stop(), second.stop()]);
  });

  test("that cannot be reached keeps the daemon from nothing, and one that comes late is told", async () => {
    const address = join(makeFolder("manager"), "late");
    const segue = await startSegue({ settings: {}, env: { NOTIFY_SOCKET: address } });
    expect(await segue.get("/healthz")).toBeDefined();
    const manager = listenAt(address);
    await eventually("told again", () => manager.states().length === 1);
    expect(manager.states()).toEqual(["READY"]);
    expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
  });

  test("at an address that is none is told nothing, and the log says so", async () => {
    const segue = await startSegue({ settings: {}, env: { NOTIFY_SOCKET: "vsock:2:1234" } });
    await segue.process.waitForOutput(/NOTIFY_SOCKET is no way/);
    expect(await segue.stop()).toEqual({ exitCode: 0, signal: null });
  });
});
