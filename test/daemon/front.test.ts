import { afterEach, describe, expect, test } from "bun:test";
import { SegueError } from "../../src/core/errors.ts";
import { Front } from "../../src/daemon/front.ts";
import type { ListenAddress, Listener, RequestHandler } from "../../src/platform/platform.ts";
import { startApp, stopApps } from "../http/daemon-app.ts";
import { eventually } from "../support/eventually.ts";
import { ManualClock } from "../support/manual-clock.ts";

afterEach(stopApps);

/** The ports of a machine on which nothing is really listened to. */
class Ports {
  readonly open = new Map<string, RequestHandler>();
  /** Hosts that this machine does not have. */
  readonly foreign = new Set<string>();
  /** Ports that another program listens at as soon as nobody else does. */
  readonly wanted = new Set<number>();
  #picked = 40_000;

  readonly listen = (address: ListenAddress, handler: RequestHandler): Listener => {
    if ("socket" in address) throw new Error("no socket is asked for");
    const { host } = address;
    const port = address.port === 0 ? this.#picked++ : address.port;
    if (this.foreign.has(host)) throw Object.assign(new Error("not available"), { code: "EADDRNOTAVAIL" });
    const isOurs = [...this.open.keys()].some((known) => known.endsWith(`:${port}`));
    if (isOurs || this.wanted.has(port)) throw Object.assign(new Error("in use"), { code: "EADDRINUSE" });
    const name = `${host}:${port}`;
    this.open.set(name, handler);
    return {
      port,
      stop: async () => void this.open.delete(name),
    };
  };

  get names(): string[] {
    return [...this.open.keys()];
  }

  /** Whether an answer at this place asks its client to come back elsewhere; undefined where nobody listens. */
  async isLeaving(name: string): Promise<boolean | undefined> {
    const response = await this.open.get(name)?.(new Request("http://127.0.0.1/healthz"));
    return response && response.headers.get("Connection") === "close";
  }
}

const [host, port] = ["127.0.0.1", 5000];
const here = `${host}:${port}`;

async function setup(at = port): Promise<{ front: Front; ports: Ports; clock: ManualClock }> {
  const { services } = await startApp();
  const [ports, clock] = [new Ports(), new ManualClock()];
  const front = new Front({ listen: ports.listen, clock, services });
  await front.open({ host, port: at });
  return { front, ports, clock };
}

describe("a front that moves", () => {
  test("answers at both addresses, at the old one asking to leave, until it is let go", async () => {
    const { front, ports, clock } = await setup();
    await front.move({ host, port: 5001 });
    expect(front.url).toBe("http://127.0.0.1:5001");
    await clock.advance(600_000);
    expect([await ports.isLeaving(here), await ports.isLeaving("127.0.0.1:5001")]).toEqual([true, false]);
    front.letGo(2000);
    await clock.advance(1999);
    expect(await ports.isLeaving(here)).toBe(true);
    await clock.advance(1);
    expect(ports.names).toEqual(["127.0.0.1:5001"]);
  });

  test("gives kept connections a moment to hear of it even without a grace", async () => {
    const { front, ports, clock } = await setup();
    await front.move({ host, port: 5001 });
    front.letGo(0);
    await clock.advance(299);
    expect(await ports.isLeaving(here)).toBe(true);
    await clock.advance(1);
    expect(ports.names).toEqual(["127.0.0.1:5001"]);
  });

  test("back to an address that still answers takes that, and leaves the other", async () => {
    const { front, ports, clock } = await setup();
    await front.move({ host, port: 5001 });
    front.letGo(2000);
    await front.move({ host, port });
    front.letGo(2000);
    expect([await ports.isLeaving(here), await ports.isLeaving("127.0.0.1:5001")]).toEqual([false, true]);
    await clock.advance(2000);
    expect(ports.names).toEqual([here]);
    expect(front.url).toBe(`http://${here}`);
  });

  test("to the port it had picked itself stays", async () => {
    const { front, ports } = await setup(0);
    const [name = ""] = ports.names;
    await front.move({ host, port: Number(name.split(":")[1]) });
    expect(front.address).toEqual({ host, port: Number(name.split(":")[1]) });
    expect(await ports.isLeaving(name)).toBe(false);
  });

  test("to another host on its own port lets the old one go first", async () => {
    const { front, ports, clock } = await setup();
    const moving = front.move({ host: "0.0.0.0", port });
    await eventually("it waits for kept connections", () => clock.waiting > 0);
    await clock.advance(299);
    expect(await ports.isLeaving(here)).toBe(true);
    await clock.advance(2000);
    await moving;
    expect(ports.names).toEqual(["0.0.0.0:5000"]);
    expect(await ports.isLeaving("0.0.0.0:5000")).toBe(false);
  });

  test("to another host on a port it has just left takes that from its old listener", async () => {
    const { front, ports, clock } = await setup();
    await front.move({ host, port: 5001 });
    const moving = front.move({ host: "0.0.0.0", port });
    await eventually("it waits for kept connections", () => clock.waiting > 0);
    await clock.advance(2000);
    await moving;
    expect(ports.names.toSorted()).toEqual(["0.0.0.0:5000", "127.0.0.1:5001"]);
    expect(await ports.isLeaving("127.0.0.1:5001")).toBe(true);
  });

  test.each([5001, port])("to an address that cannot be had stays where it is (port %d)", async (wanted) => {
    const { front, ports } = await setup();
    ports.foreign.add("192.0.2.1");
    const thrown = await front.move({ host: "192.0.2.1", port: wanted }).catch((refusal: unknown) => refusal);
    expect(thrown instanceof SegueError ? thrown.code : thrown).toBe("cannot_listen");
    expect(front.address).toEqual({ host, port });
    expect(ports.names).toEqual([here]);
    expect(await ports.isLeaving(here)).toBe(false);
    await front.move({ host, port: 5002 });
    expect(front.url).toBe("http://127.0.0.1:5002");
  });

  test("to a host on its own port that only its own listener keeps it from, and cannot have that either, comes back", async () => {
    const { front, ports, clock } = await setup();
    const moving = front.move({ host: "0.0.0.0", port }).catch((refusal: unknown) => refusal);
    await eventually("it waits for kept connections", () => clock.waiting > 0);
    ports.foreign.add("0.0.0.0");
    await clock.advance(2000);
    const thrown = await moving;
    expect(thrown instanceof SegueError ? thrown.code : thrown).toBe("cannot_listen");
    expect([ports.names, front.address]).toEqual([[here], { host, port }]);
    expect(await ports.isLeaving(here)).toBe(false);
  });

  test("to a host on its own port that another program takes meanwhile comes back as soon as that has gone", async () => {
    const { front, ports, clock } = await setup();
    ports.wanted.add(port);
    const moving = front.move({ host: "0.0.0.0", port }).catch((refusal: unknown) => refusal);
    await eventually("it waits for kept connections", () => clock.waiting > 0);
    await clock.advance(2000);
    const thrown = await moving;
    expect(thrown instanceof SegueError ? thrown.message : thrown).toContain("cannot listen on 0.0.0.0:5000");
    expect([ports.names, front.address, front.url]).toEqual([[], { host, port }, `http://${here}`]);
    ports.wanted.clear();
    await clock.advance(1000);
    expect([ports.names, await ports.isLeaving(here)]).toEqual([[here], false]);
    expect([front.address, front.port]).toEqual([{ host, port }, port]);
    expect(clock.waiting).toBe(0);
  });

  test.each(["moves on", "stops"])("that has lost its port does not come back where it %s", async (then) => {
    const { front, ports, clock } = await setup();
    ports.wanted.add(port);
    const moving = front.move({ host: "0.0.0.0", port }).catch((refusal: unknown) => refusal);
    await eventually("it waits for kept connections", () => clock.waiting > 0);
    await clock.advance(2000);
    await moving;
    if (then === "stops") await front.close();
    else await front.move({ host, port: 5001 });
    ports.wanted.clear();
    await clock.advance(10_000);
    expect(ports.names).toEqual(then === "stops" ? [] : ["127.0.0.1:5001"]);
    expect(clock.waiting).toBe(0);
  });

  test("that has lost its port takes back an address that it left before and that still answers", async () => {
    const { front, ports, clock } = await setup(5001);
    await front.move({ host, port });
    ports.wanted.add(port);
    const moving = front.move({ host: "0.0.0.0", port }).catch((refusal: unknown) => refusal);
    await eventually("it waits for kept connections", () => clock.waiting > 0);
    await clock.advance(2000);
    await moving;
    await front.move({ host, port: 5001 });
    front.letGo(0);
    ports.wanted.clear();
    await clock.advance(10_000);
    expect([ports.names, front.url]).toEqual([["127.0.0.1:5001"], "http://127.0.0.1:5001"]);
    expect(await ports.isLeaving("127.0.0.1:5001")).toBe(false);
  });

  test("and stops closes every address, and leaves no timer", async () => {
    const { front, ports, clock } = await setup();
    await front.move({ host, port: 5001 });
    front.letGo(600_000);
    const closing = front.close();
    await clock.advance(2000);
    await closing;
    expect(ports.names).toEqual([]);
    expect(clock.waiting).toBe(0);
  });
});
