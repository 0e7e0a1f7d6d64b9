import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fetchOnSocket } from "../../src/platform/bun.ts";
import { eventually } from "../support/eventually.ts";
import { get, isGone, modeOf, place, post, stopDaemons } from "./place.ts";

afterEach(stopDaemons);

describe("a daemon", () => {
  test("serves over TCP and on its socket, and says so in daemon.json, to its user alone", async () => {
    const { options, start } = place();
    const daemon = await start();
    expect((await fetch(`${daemon.url}/readyz`)).status).toBe(200);
    expect((await fetchOnSocket(daemon.socket ?? "", "/readyz", {})).status).toBe(200);
    const instance = JSON.parse(readFileSync(join(options.dataDir, "daemon.json"), "utf8"));
    expect(instance).toMatchObject({
      pid: process.pid,
      url: daemon.url,
      socket: daemon.socket,
      version: "0.0.0-test",
    });
    expect(await get(daemon, "/api/daemon")).toMatchObject({
      instanceId: instance.instanceId,
      phase: "serving",
      url: daemon.url,
      dataDir: options.dataDir,
      settingsPath: options.settingsPath,
      lastRestart: null,
    });
    for (const file of ["segue.db", "segue.sock", "daemon.json"])
      expect([file, modeOf(join(options.dataDir, file))]).toEqual([file, "600"]);
    expect(modeOf(options.dataDir)).toBe("700");
  });

  test("answers a message, and knows it again after it was stopped and started", async () => {
    const { start } = place();
    const first = await start();
    const done = await post(first, "hello", "wait=60");
    expect(done).toMatchObject({ status: "done", reply: "hello" });
    await first.stop("test");
    const second = await start();
    expect(await get(second, `/api/messages/${String(done["id"])}`)).toEqual(done);
    expect(await post(second, "again", "wait=60")).toMatchObject({ seq: 2, reply: "again" });
  });

  test("when it has stopped nothing is left but its data, and the folder may be taken at once", async () => {
    const { options, start } = place();
    const daemon = await start();
    await Promise.all([daemon.stop("test"), daemon.stop("test"), daemon.stopped]);
    expect(existsSync(join(options.dataDir, "daemon.json"))).toBe(false);
    expect(existsSync(join(options.dataDir, "segue.sock"))).toBe(false);
    expect(existsSync(join(options.dataDir, "segue.db-wal"))).toBe(false);
    expect(await isGone(daemon.url)).toBe(true);
    expect((await (await start()).stop("test")) === undefined).toBe(true);
  });

  test("asked to stop over HTTP it answers, drains and stops", async () => {
    const { start } = place();
    const daemon = await start();
    expect((await fetch(`${daemon.url}/api/daemon/stop`, { method: "POST" })).status).toBe(202);
    await daemon.stopped;
  });

  test("what is in flight when it stops has time to end", async () => {
    const providers = { slow: { kind: "echo", model: "m", delayMs: 300 } };
    const { start } = place({ provider: "slow", providers });
    const daemon = await start();
    const { id } = await post(daemon, "hello");
    await eventually(
      "the turn begins",
      async () => (await get(daemon, `/api/messages/${String(id)}`))["startedAt"],
    );
    await daemon.stop("test");
    expect(await get(await start(), `/api/messages/${String(id)}`)).toMatchObject({
      status: "done",
      attempts: 1,
    });
  });

  test("what does not end in time is put back uncounted, and taken up by the next start", async () => {
    const providers = { slow: { kind: "echo", model: "m", delayMs: 600_000 } };
    const { start, write } = place({ provider: "slow", providers, daemon: { graceMs: 0 } });
    const daemon = await start();
    const { id } = await post(daemon, "hello");
    await eventually(
      "the turn begins",
      async () => (await get(daemon, `/api/messages/${String(id)}`))["startedAt"],
    );
    await daemon.stop("test");
    write({});
    const next = await start();
    const ended = async () => (await get(next, `/api/messages/${String(id)}`))["status"] === "done";
    await eventually("the message is done", ended);
    expect(await get(next, `/api/messages/${String(id)}`)).toMatchObject({ attempts: 1, provider: "echo" });
  });

  test("those who wait for a message or read events are let go when it stops", async () => {
    const providers = { slow: { kind: "echo", model: "m", delayMs: 600_000 } };
    const { start } = place({ provider: "slow", providers, daemon: { graceMs: 0 } });
    const daemon = await start();
    const waiting = post(daemon, "hello", "wait=300");
    const stream = await fetch(`${daemon.url}/api/events?after=0`);
    await eventually("the turn begins", async () => (await get(daemon, "/api/stats"))["busySessions"] === 1);
    await daemon.stop("test");
    expect(await waiting).toMatchObject({ status: "pending" });
    expect(await stream.text()).toContain("event: daemon.stopping");
  });

  test("restarts in this process: another instance, the same messages, the same address", async () => {
    const { start } = place();
    const daemon = await start();
    const done = await post(daemon, "hello", "wait=60");
    const before = await get(daemon, "/api/daemon");
    await daemon.restart();
    const after = await get(daemon, "/api/daemon");
    expect(after["instanceId"]).not.toBe(before["instanceId"]);
    expect(after).toMatchObject({ url: before["url"], pid: process.pid, lastRestart: { timedOut: 0 } });
    expect(await get(daemon, `/api/messages/${String(done["id"])}`)).toEqual(done);
    expect(await post(daemon, "again", "wait=60")).toMatchObject({ reply: "again" });
  });

  test("refuses a body that is too long in its own words, however long it is", async () => {
    const { start } = place();
    const { url } = await start();
    for (const megabytes of [32, 33, 40]) {
      const body = new Uint8Array(megabytes * 1024 * 1024 + 1);
      const init = { method: "POST", body, headers: { "Content-Type": "text/plain" } };
      const response = await fetch(`${url}/api/sessions/a/messages`, init);
      expect([response.status, response.headers.get("Content-Type")]).toEqual([
        413,
        "application/problem+json",
      ]);
      expect(await response.json()).toMatchObject({ code: "too_large" });
    }
  });
});
