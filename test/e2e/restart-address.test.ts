import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { freePort, releasePorts, takenPort } from "../support/ports.ts";
import { startSegue, type ReceivedEvent, type Segue } from "../support/segue.ts";
import { askOnce, HttpConnection } from "./http-connection.ts";
import { daemonOf, instanceOf, portOf, restarted, statusOf } from "./restarting.ts";
import { saveSettings } from "./settings-file.ts";

setDefaultTimeout(60_000);

const debounceMs = 20;

function settings(server: object, graceMs = 20_000): object {
  return { server, daemon: { graceMs }, reload: { debounceMs } };
}

async function startAt(server: object, graceMs?: number): Promise<Segue> {
  return startSegue({ settings: settings(server, graceMs), port: "settings" });
}

/** Edits the address and waits for the restart. */
async function moveTo(segue: Segue, server: object, graceMs?: number): Promise<Segue> {
  const before = instanceOf(segue);
  saveSettings(segue.settingsPath, settings(server, graceMs), "replaced by a rename");
  return restarted(segue, before);
}

async function storedEvents(segue: Segue, type: string): Promise<ReceivedEvent[]> {
  const found: ReceivedEvent[] = [];
  const mark = await segue.post<{ id: string }>("/api/sessions", {});
  for await (const event of segue.events(0)) {
    if (event.type === type) found.push(event);
    if (event.type === "session.created" && event.data["session"] === mark.id) return found;
  }
  throw new Error("the stream ended");
}

describe("an address that cannot be had", () => {
  test("leaves the daemon where it is, says so once, and keeps the revision; the next good edit is taken", async () => {
    const [port, taken] = [await freePort(), await takenPort()];
    const segue = await startAt({ port });
    const kept = await HttpConnection.open(port);
    const before = instanceOf(segue);
    saveSettings(segue.settingsPath, settings({ port: taken }), "replaced by a rename");
    const failed = await segue.nextEvent(0, ({ type }) => type === "daemon.restart_failed");
    const reason = expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${taken}.*\\(pid ${process.pid}\\)`));
    expect(failed.data).toMatchObject({ reason });
    const status = await statusOf(segue);
    expect(status).toMatchObject({ revision: 2, problems: [], notInForce: [{ key: "server.port", reason }] });
    expect(instanceOf(segue)).toEqual(before);
    expect(await daemonOf(segue)).toMatchObject({ phase: "serving", url: segue.url, lastRestart: null });
    const answer = await kept.send({ path: "/readyz" });
    expect([answer.status, answer.headers.get("connection") ?? "kept"]).toEqual([200, "kept"]);
    kept.close();

    // An edit of something else tries nothing again.
    saveSettings(
      segue.settingsPath,
      { ...settings({ port: taken }), turn: { retryMs: 77 } },
      "written in place",
    );
    await eventually("the edit is in force", async () => (await statusOf(segue)).revision === 3);
    expect((await statusOf(segue)).notInForce).toEqual([{ key: "server.port", reason: expect.any(String) }]);
    const good = await freePort();
    const there = await moveTo(segue, { port: good });
    expect(portOf(there)).toBe(good);
    expect((await statusOf(there)).notInForce).toEqual([]);
    expect(await storedEvents(there, "daemon.restart_failed")).toHaveLength(1);
    expect(await storedEvents(there, "daemon.restarted")).toHaveLength(1);
    await there.stop();
  });

  test("is tried again when the settings come back to it, and when a restart is asked for", async () => {
    const [port, taken] = [await freePort(), await takenPort()];
    const segue = await startAt({ port });
    const refused = async (count: number): Promise<void> => {
      saveSettings(segue.settingsPath, settings({ port: taken }), "replaced by a rename");
      await eventually("refused", async () =>
        (await statusOf(segue)).notInForce[0]?.reason.includes(`${taken}`),
      );
      expect(await storedEvents(segue, "daemon.restart_failed")).toHaveLength(count);
    };
    await refused(1);
    saveSettings(segue.settingsPath, settings({ port }), "replaced by a rename");
    await eventually("back", async () => (await statusOf(segue)).notInForce.length === 0);
    await refused(2);
    const before = instanceOf(segue);
    await segue.post("/api/daemon/restart");
    await restarted(segue, before);
    expect(portOf(segue)).toBe(port);
    expect(await storedEvents(segue, "daemon.restart_failed")).toHaveLength(3);
    await releasePorts();
    const again = instanceOf(segue);
    await segue.post("/api/daemon/restart");
    const there = await restarted(segue, again);
    expect(portOf(there)).toBe(taken);
    expect((await statusOf(there)).notInForce).toEqual([]);
    await there.stop();
  });
});

describe("a move", () => {
  test("can be taken back while the old address still answers", async () => {
    const [one, other] = [await freePort(), await freePort()];
    const segue = await startAt({ port: one });
    await moveTo(segue, { port: other });
    expect((await askOnce(one, { path: "/readyz" })).headers.get("connection")).toBe("close");
    const back = await moveTo(segue, { port: one });
    expect(portOf(back)).toBe(one);
    expect((await askOnce(one, { path: "/readyz" })).headers.get("connection")).not.toBe("close");
    expect((await askOnce(other, { path: "/readyz" })).headers.get("connection")).toBe("close");
    expect(await storedEvents(back, "daemon.restart_failed")).toEqual([]);
    await back.stop();
  });

  test("lets the old address go after the grace, counted from the restart", async () => {
    const [one, other] = [await freePort(), await freePort()];
    const graceMs = 600;
    const busy = { provider: "echo", providers: { echo: { delayMs: 600_000 } } };
    const segue = await startSegue({
      settings: { ...settings({ port: one }, graceMs), ...busy },
      port: "settings",
    });
    await segue.post("/api/sessions/slow/messages", { content: "one" });
    await segue.nextEvent(0, ({ type }) => type === "message.started");
    const before = instanceOf(segue);
    saveSettings(
      segue.settingsPath,
      { ...settings({ port: other }, graceMs), ...busy },
      "replaced by a rename",
    );
    const there = await restarted(segue, before);
    // The drain took the whole grace: clients hear only now of the new address.
    expect((await askOnce(one, { path: "/readyz" })).status).toBe(200);
    const gone = (): Promise<boolean> =>
      askOnce(one, { path: "/readyz" }).then(
        () => false,
        () => true,
      );
    await eventually("the old address is let go", gone);
    expect((await askOnce(other, { path: "/readyz" })).status).toBe(200);
    await there.stop();
  });

  test("answers who waits at the old address before that is let go", async () => {
    const [one, other] = [await freePort(), await freePort()];
    const busy = { providers: { echo: { delayMs: 600_000 } } };
    const segue = await startSegue({
      settings: { ...settings({ port: one }, 300), ...busy },
      port: "settings",
    });
    const before = instanceOf(segue);
    saveSettings(segue.settingsPath, { ...settings({ port: other }, 300), ...busy }, "replaced by a rename");
    const there = await restarted(segue, before);
    const response = await segue.request("/api/sessions/a/messages", {
      method: "POST",
      headers: { "Content-Type": "text/plain", Prefer: "wait=300" },
      body: "one",
    });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ status: "running" });
    await there.stop();
  });

  test("to the port that the daemon picked itself is none", async () => {
    const segue = await startAt({ port: 0 });
    const before = instanceOf(segue);
    const kept = await HttpConnection.open(portOf(segue));
    await moveTo(segue, { port: portOf(segue) });
    expect(instanceOf(segue)).toMatchObject({ url: before.url });
    expect((await kept.send({ path: "/readyz" })).status).toBe(200);
    kept.close();
    await segue.stop();
  });

  test("to another host on the same port refuses nobody for long, and comes back where it cannot", async () => {
    const port = await freePort();
    const token = "a-token-of-the-test";
    const segue = await startAt({ port, token });
    const headers = { Authorization: `Bearer ${token}` };
    const there = await moveTo(segue, { port, host: "0.0.0.0", token });
    expect(instanceOf(there).url).toBe(`http://0.0.0.0:${port}`);
    expect((await segue.request("/api/daemon", { headers })).status).toBe(200);
    saveSettings(segue.settingsPath, settings({ port, host: "192.0.2.1", token }), "replaced by a rename");
    await eventually("refused", async () => (await statusOf(segue)).notInForce.length > 0);
    expect((await segue.request("/api/daemon", { headers })).status).toBe(200);
    expect(await daemonOf(segue)).toMatchObject({ url: `http://0.0.0.0:${port}`, phase: "serving" });
    await segue.stop();
  });
});
