import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import { SegueError } from "../../src/core/errors.ts";
import { closeListener, listenOnSocket, listenOnTcp } from "../../src/daemon/listeners.ts";
import { fetchOnSocket, listen } from "../../src/platform/bun.ts";
import type { Listener } from "../../src/platform/platform.ts";
import { freePort, takenPort } from "../support/ports.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { makeFolder } from "../support/workspace.ts";

const open: Listener[] = [];

afterEach(async () => {
  for (const listener of open.splice(0)) await listener.stop(true);
});

const hello = (): Response => new Response("hello");

async function onTcp(host: string, port: number): Promise<string> {
  const { listener, url } = await listenOnTcp(listen, { host, port }, hello);
  open.push(listener);
  return url;
}

describe("over TCP", () => {
  test("the address it got is told as a URL that works", async () => {
    for (const host of ["127.0.0.1", "::1"]) {
      const url = await onTcp(host, 0);
      expect(url).toMatch(host === "::1" ? /^http:\/\/\[::1\]:\d+$/ : /^http:\/\/127\.0\.0\.1:\d+$/);
      expect(await (await fetch(url)).text()).toBe("hello");
    }
  });

  test("a port that is asked for is the one it gets", async () => {
    const port = await freePort();
    expect(await onTcp("127.0.0.1", port)).toBe(`http://127.0.0.1:${port}`);
  });

  test("a port that is taken is refused, naming what holds it and a way out", async () => {
    const port = await takenPort();
    const thrown: unknown = await onTcp("127.0.0.1", port).catch((reason: unknown) => reason);
    if (!(thrown instanceof SegueError)) throw new Error("it was not refused");
    expect(thrown.code).toBe("cannot_listen");
    expect(thrown.message).toContain(`127.0.0.1:${port}`);
    expect(thrown.message).toContain(`(pid ${process.pid}) listens there already`);
    expect(thrown.hint).toContain("server.port");
  });

  test("an address that is none of this machine's is refused", async () => {
    const thrown: unknown = await onTcp("192.0.2.1", 0).catch((reason: unknown) => reason);
    expect(thrown).toMatchObject({ code: "cannot_listen" });
  });
});

describe("on a socket", () => {
  test("it answers, for its owner alone, and leaves its name behind when it is closed", async () => {
    const path = join(makeFolder("socket"), "segue.sock");
    const listener = await listenOnSocket(listen, path, hello);
    if (!listener) throw new Error("there is no listener");
    expect((statSync(path).mode & 0o777).toString(8)).toBe("600");
    expect(await (await fetchOnSocket(path, "/", {})).text()).toBe("hello");
    await closeListener(listener, systemClock);
    const isRefused = await fetchOnSocket(path, "/", {}).then(
      () => false,
      () => true,
    );
    expect(isRefused).toBe(true);
    expect(existsSync(path)).toBe(true);
  });

  test("it takes the place of one that listens, whose end does not touch it", async () => {
    const path = join(makeFolder("socket"), "segue.sock");
    const before = await listenOnSocket(listen, path, () => new Response("before"));
    const listener = await listenOnSocket(listen, path, hello);
    if (!before || !listener) throw new Error("there is no listener");
    open.push(listener);
    await closeListener(before, systemClock);
    expect(await (await fetchOnSocket(path, "/", {})).text()).toBe("hello");
  });

  test("it takes the place of one that a killed daemon left", async () => {
    const path = join(makeFolder("socket"), "segue.sock");
    writeFileSync(path, "");
    const listener = await listenOnSocket(listen, path, hello);
    if (listener) open.push(listener);
    expect(await (await fetchOnSocket(path, "/", {})).text()).toBe("hello");
  });

  test("a path too long for one is gone without, and left alone", async () => {
    const folder = makeFolder("socket");
    const longest = join(folder, "x".repeat(107 - folder.length - 1));
    const listener = await listenOnSocket(listen, longest, hello);
    if (!listener) throw new Error("there is no listener");
    open.push(listener);
    expect(await (await fetchOnSocket(longest, "/", {})).text()).toBe("hello");
    expect(await listenOnSocket(listen, `${longest}x`, hello)).toBeUndefined();
    expect(existsSync(`${longest}x`)).toBe(false);
  });
});

test("closing lets an answer under way go out, takes no new request, and cuts what does not end", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  const { listener, url } = await listenOnTcp(listen, { host: "127.0.0.1", port: 0 }, () => {
    asked.resolve();
    return answer.promise;
  });
  const response = fetch(url);
  await asked.promise;
  const closed = closeListener(listener, systemClock);
  answer.resolve(new Response("late, but whole"));
  expect(await (await response).text()).toBe("late, but whole");
  await closed;
  const refused: unknown = await fetch(url).catch((reason: unknown) => reason);
  expect(refused).toBeInstanceOf(Error);
});

test("a listener that had nothing to wait for leaves no timer behind when it is closed", async () => {
  const clock = new ManualClock();
  const { listener } = await listenOnTcp(listen, { host: "127.0.0.1", port: 0 }, hello);
  await closeListener(listener, clock);
  expect(clock.waiting).toBe(0);
});
