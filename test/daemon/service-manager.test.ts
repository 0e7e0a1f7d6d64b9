import { expect, test } from "bun:test";
import { ServiceManager } from "../../src/daemon/service-manager.ts";
import { ManualClock } from "../support/manual-clock.ts";

function setup(watchdogMs?: number) {
  const clock = new ManualClock();
  const socket = {
    told: [] as string[],
    isTaking: true,
    isClosed: false,
    send(state: string): boolean {
      if (this.isTaking) this.told.push(state.split("\n", 1).join());
      return this.isTaking;
    },
    monotonicUs: () => 7n,
    close(): void {
      this.isClosed = true;
    },
  };
  const manager = new ServiceManager({ socket, watchdogMs, clock, random: () => 1 });
  return { clock, socket, manager };
}

test("what was not taken is told again; what is newer takes its place", async () => {
  const { clock, socket, manager } = setup();
  socket.isTaking = false;
  manager.reloading("settings");
  manager.ready("http://127.0.0.1:1");
  await clock.advance(3000);
  socket.isTaking = true;
  await clock.advance(1000);
  await clock.advance(60_000);
  expect(socket.told).toEqual(["READY=1"]);
  manager.stopping("signal", 0);
  expect(socket.told).toEqual(["READY=1", "STOPPING=1"]);
});

test("a watchdog hears twice within its time, until the end; nothing is left behind", async () => {
  const { clock, socket, manager } = setup(10_000);
  await clock.advance(20_000);
  expect(socket.told).toEqual(Array(4).fill("WATCHDOG=1"));
  socket.isTaking = false;
  manager.ready("http://127.0.0.1:1");
  manager.close();
  manager.close();
  expect(clock.waiting).toBe(0);
  expect(socket.isClosed).toBe(true);
});

test("without a watchdog nothing is told that nobody asked for", async () => {
  const { clock, socket } = setup();
  await clock.advance(3_600_000);
  expect({ told: socket.told, waiting: clock.waiting }).toEqual({ told: [], waiting: 0 });
});
