import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/ports.ts";
import { startSegue, type ReceivedEvent, type Segue } from "../support/segue.ts";
import type { MessageAnswer } from "./answers.ts";
import { daemonOf, instanceOf, moved, portOf, restarted, statusOf } from "./restarting.ts";
import { saveSettings } from "./settings-file.ts";

setDefaultTimeout(60_000);

const never = 600_000;

function settings(delayMs: number, graceMs: number): object {
  return { providers: { echo: { delayMs } }, daemon: { graceMs }, reload: { debounceMs: 20 } };
}

async function startTurn(segue: Segue, session = "slow"): Promise<MessageAnswer> {
  const message = await segue.post<MessageAnswer>(`/api/sessions/${session}/messages`, {
    content: "one two",
  });
  await segue.nextEvent(0, ({ type, data }) => type === "message.started" && data["message"] === message.id);
  return message;
}

/** A daemon that drains for a restart, with a turn in flight. */
async function startDraining(
  delayMs: number,
  graceMs: number,
): Promise<{ segue: Segue; turn: MessageAnswer }> {
  const segue = await startSegue({ settings: settings(delayMs, graceMs) });
  const turn = await startTurn(segue);
  await segue.post("/api/daemon/restart");
  await segue.nextEvent(0, ({ type }) => type === "daemon.draining");
  return { segue, turn };
}

/** All stored events up to now. */
async function eventsOf(segue: Segue): Promise<ReceivedEvent[]> {
  const found: ReceivedEvent[] = [];
  const mark = await segue.post<{ id: string }>("/api/sessions", {});
  for await (const event of segue.events(0)) {
    if (event.type === "session.created" && event.data["session"] === mark.id) break;
    found.push(event);
  }
  return found;
}

describe("a drain", () => {
  test("ends at the grace: the turn is aborted, its message goes back uncounted, and is taken again", async () => {
    const graceMs = 400;
    const { segue, turn } = await startDraining(never, graceMs);
    await eventually("restarted", async () => (await daemonOf(segue)).lastRestart);
    const { lastRestart } = await daemonOf(segue);
    expect(lastRestart).toMatchObject({ reason: "request", requeued: 1, timedOut: 1 });
    expect(lastRestart?.sessions).toEqual([{ id: "slow", turns: 0, subscribers: 0 }]);
    expect(lastRestart?.downtimeMs).toBeGreaterThanOrEqual(graceMs);
    expect(lastRestart?.downtimeMs).toBeLessThan(graceMs + 1000);
    const requeued = (await eventsOf(segue)).filter(({ type }) => type === "message.requeued");
    expect(requeued.map(({ data }) => ({ message: data["message"], reason: data["reason"] }))).toEqual([
      { message: turn.id, reason: "drain" },
    ]);
    await eventually("taken again", async () => {
      const message = await segue.get<MessageAnswer>(`/api/messages/${turn.id}`);
      return message.status === "running" && message.attempts === 1;
    });
    await segue.kill();
  });

  test("is over as soon as the turns in flight are", async () => {
    const { segue, turn } = await startDraining(400, never);
    const there = await restarted(segue, instanceOf(segue));
    expect(await there.get(`/api/messages/${turn.id}`)).toMatchObject({ status: "done", attempts: 1 });
    expect((await daemonOf(there)).lastRestart).toMatchObject({ requeued: 0, timedOut: 0 });
    await there.stop();
  });

  test("answers as always: posts are kept and taken after it, reads go on, readyz says so", async () => {
    const { segue, turn } = await startDraining(500, never);
    const before = instanceOf(segue);
    expect(await daemonOf(segue)).toMatchObject({ phase: "draining", instanceId: before.instanceId });
    const ready = await segue.request("/readyz");
    expect([ready.status, await ready.json()]).toEqual([503, expect.objectContaining({ code: "draining" })]);
    expect((await segue.request("/healthz")).status).toBe(200);
    const posted: MessageAnswer[] = [];
    for (const session of ["slow", "other", "slow"])
      posted.push(await segue.post<MessageAnswer>(`/api/sessions/${session}/messages`, { content: "later" }));
    expect(posted.map(({ status, seq }) => [status, seq])).toEqual([
      ["pending", 2],
      ["pending", 1],
      ["pending", 3],
    ]);
    expect(await segue.get(`/api/messages/${turn.id}`)).toMatchObject({ status: "running" });
    const there = await restarted(segue, before);
    for (const { id } of posted)
      await eventually(
        "done",
        async () => (await there.get<MessageAnswer>(`/api/messages/${id}`)).status === "done",
      );
    const told = await eventsOf(there);
    const after = told.findIndex(({ type }) => type === "daemon.restarted");
    const started = told.flatMap(({ type, data }, at) =>
      type === "message.started" && data["message"] !== turn.id ? [at] : [],
    );
    expect(started).toHaveLength(3);
    expect(Math.min(...started)).toBeGreaterThan(after);
    expect((await daemonOf(there)).lastRestart?.sessions.map(({ id }) => id).toSorted()).toEqual([
      "other",
      "slow",
    ]);
    await there.stop();
  });

  test("takes an edit as always, in force for the turns after it", async () => {
    const { segue } = await startDraining(500, never);
    const before = instanceOf(segue);
    const { id } = await segue.post<MessageAnswer>("/api/sessions/slow/messages", { content: "later" });
    saveSettings(
      segue.settingsPath,
      {
        ...settings(0, never),
        provider: "command",
        providers: { command: { argv: ["echo", "from the command"] } },
      },
      "replaced by a rename",
    );
    await eventually("the edit is in force", async () => (await statusOf(segue)).revision === 2);
    expect((await daemonOf(segue)).phase).toBe("draining");
    const there = await restarted(segue, before);
    await eventually(
      "done",
      async () => (await there.get<MessageAnswer>(`/api/messages/${id}`)).status === "done",
    );
    expect(await there.get(`/api/messages/${id}`)).toMatchObject({ provider: "command", revision: 2 });
    await there.stop();
  });

  test("takes an edit of the address by one more restart after it", async () => {
    const [port, other] = [await freePort(), await freePort()];
    const at = (server: object): object => ({ ...settings(400, never), server });
    const segue = await startSegue({ settings: at({ port }), port: "settings" });
    await startTurn(segue);
    const before = instanceOf(segue);
    await segue.post("/api/daemon/restart");
    await segue.nextEvent(0, ({ type }) => type === "daemon.draining");
    saveSettings(segue.settingsPath, at({ port: other }), "replaced by a rename");
    await eventually("the edit is in force", async () => (await statusOf(segue)).revision === 2);
    expect((await statusOf(segue)).notInForce).toEqual([{ key: "server.port", reason: expect.any(String) }]);
    await restarted(segue, before);
    await eventually("moved", () => portOf(segue) === other);
    const there = moved(segue);
    // daemon.json is written first, so that whoever hears of it finds it.
    await there.nextEvent(0, ({ type, data }) => type === "daemon.restarted" && data["url"] === there.url);
    const told = (await eventsOf(there)).filter(({ type }) => type === "daemon.restarted");
    expect(told.map(({ data }) => data["url"])).toEqual([segue.url, there.url]);
    expect((await statusOf(there)).notInForce).toEqual([]);
    expect((await daemonOf(there)).lastRestart).toMatchObject({ reason: "configuration" });
    await there.stop();
  });

  test("lets those who wait go with 202 at the swap, and those in flight be answered before", async () => {
    const segue = await startSegue({ settings: settings(700, never) });
    const wait = { Prefer: "wait=300" };
    const post = (session: string): Promise<Response> =>
      segue.request(`/api/sessions/${session}/messages`, {
        method: "POST",
        headers: { "Content-Type": "text/plain", ...wait },
        body: "one",
      });
    const inFlight = post("one");
    await segue.nextEvent(0, ({ type }) => type === "message.started");
    const queued = post("one");
    await segue.nextEvent(0, ({ type, data }) => type === "message.accepted" && data["seq"] === 2);
    await segue.post("/api/daemon/restart");
    const [answered, letGo] = [await inFlight, await queued];
    expect([answered.status, (await answered.json()).status]).toEqual([200, "done"]);
    const waiting: MessageAnswer = await letGo.json();
    expect([letGo.status, waiting.seq, letGo.headers.get("preference-applied")]).toEqual([
      202,
      2,
      "wait=300",
    ]);
    expect(["pending", "running"]).toContain(waiting.status);
    await segue.stop();
  });

  test("a program that will not end costs it no more than the time to make it", async () => {
    const argv = ["sh", "-c", "trap '' TERM; echo here; while :; do sleep 0.1; done"];
    const segue = await startSegue({
      settings: {
        provider: "command",
        providers: { command: { argv } },
        daemon: { graceMs: 100 },
      },
    });
    const before = instanceOf(segue);
    const turn = await startTurn(segue);
    await segue.post("/api/daemon/restart");
    const there = await restarted(segue, before);
    const { lastRestart } = await daemonOf(there);
    expect(lastRestart).toMatchObject({ requeued: 1, timedOut: 1 });
    expect(lastRestart?.downtimeMs).toBeLessThan(100 + 2000 + 1000);
    expect(await there.get(`/api/messages/${turn.id}`)).toMatchObject({ status: "running", attempts: 1 });
    // A program is in a group of its own: only the daemon can end it.
    await there.stop();
  });
});

describe("a restart", () => {
  test("asked for twice at once, and by a signal, is answered each time, and loses nothing", async () => {
    const segue = await startSegue({ settings: settings(200, never) });
    const turn = await startTurn(segue);
    const before = instanceOf(segue);
    const answers = await Promise.all(
      [1, 2, 3].map(() => segue.request("/api/daemon/restart", { method: "POST" })),
    );
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    segue.process.signal("SIGUSR2");
    await restarted(segue, before);
    await eventually("it serves", async () => (await daemonOf(segue)).phase === "serving");
    await eventually(
      "done",
      async () => (await segue.get<MessageAnswer>(`/api/messages/${turn.id}`)).status === "done",
    );
    const told = (await eventsOf(segue)).filter(({ type }) => type.startsWith("daemon."));
    // Those asked for during one take one more, however many they are.
    expect(told.filter(({ type }) => type === "daemon.restarted").length).toBeLessThanOrEqual(2);
    await segue.stop();
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "that is under way gives way to %s: the same drain goes on, and ends the daemon with exit code 0",
    async (signal) => {
      const { segue, turn } = await startDraining(600, never);
      segue.process.signal(signal);
      expect(await segue.process.ended()).toEqual({ exitCode: 0, signal: null });
      const again = await segue.restart();
      expect(await again.get(`/api/messages/${turn.id}`)).toMatchObject({ status: "done", attempts: 1 });
      const told = (await eventsOf(again)).flatMap(({ type }) => (type.startsWith("daemon.") ? [type] : []));
      expect(told).toEqual([
        "daemon.started",
        "daemon.draining",
        "daemon.draining",
        "daemon.stopping",
        "daemon.started",
      ]);
      await again.stop();
    },
  );

  test("that is under way ends with the second SIGINT at once: exit code 130, and nothing is lost", async () => {
    const { segue, turn } = await startDraining(never, never);
    segue.process.signal("SIGINT");
    await segue.nextEvent(0, ({ type, data }) => type === "daemon.draining" && data["reason"] === "SIGINT");
    segue.process.signal("SIGINT");
    expect(await segue.process.ended()).toEqual({ exitCode: 130, signal: null });
    saveSettings(segue.settingsPath, settings(0, never), "replaced by a rename");
    const again = await segue.restart();
    await again.nextEvent(0, ({ type, data }) => type === "message.done" && data["message"] === turn.id);
    await again.stop();
  });
});
