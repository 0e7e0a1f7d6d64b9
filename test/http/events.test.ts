import { afterEach, describe, expect, test } from "bun:test";
import { refusal } from "./asking.ts";
import { startApp, stopApps } from "./daemon-app.ts";
import { appendEvents, EventReader } from "./event-reader.ts";

afterEach(stopApps);

const slow = { provider: "slow", providers: { slow: { kind: "echo", model: "m", delayMs: 1000 } } };

describe("the stream", () => {
  test("is one of server-sent events, is not kept by caches, and says when to come back", async () => {
    const app = await startApp();
    const response = await app.ask("/api/events");
    expect(response.headers.get("Content-Type")).toBe("text/event-stream; charset=utf-8");
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    await response.body?.cancel();
    const reader = await EventReader.open(app);
    expect(reader.text).toBe("retry: 1000\n\n");
  });

  test("starts now, and tells what happens from then on, in order, under ids that rise", async () => {
    const app = await startApp();
    await app.done("a", "before");
    await app.clock.settle();
    const reader = await EventReader.open(app);
    const message = await app.done("b", "hi");
    await app.clock.settle();
    expect(reader.types.filter((type) => type !== "message.delta")).toEqual([
      "session.created",
      "message.accepted",
      "session.loaded",
      "session.busy",
      "message.started",
      "message.done",
      "session.idle",
    ]);
    const ids = reader.events.flatMap(({ id }) => id ?? []);
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b));
    const done = reader.events.find(({ type }) => type === "message.done");
    expect(done?.data).toEqual({
      at: "2026-01-01T00:00:00.000Z",
      session: "b",
      message: message.id,
      seq: 1,
      usage: { inputTokens: 1, outputTokens: 1, estimated: true },
    });
    expect(reader.text).not.toContain("before");
  });

  test("tells a reply as it comes, in pieces that have no id and are not told again", async () => {
    const app = await startApp(slow);
    const { id } = await app.post("a", "one two");
    const reader = await EventReader.open(app, "?session=a&type=message.delta,message.done");
    await app.clock.advance(1000);
    expect(reader.events).toMatchObject([
      { id: undefined, type: "message.delta", data: { session: "a", message: id, seq: 1, text: "one" } },
      { id: undefined, type: "message.delta", data: { session: "a", message: id, seq: 1, text: " two" } },
      { type: "message.done" },
    ]);
    expect(reader.events[0]?.data["at"]).toBe("2026-01-01T00:00:01.000Z");
    const later = await EventReader.open(app, "?after=0&type=message.*");
    expect(later.types).toEqual(["message.accepted", "message.started", "message.done"]);
  });

  test("no stored event holds what was said", async () => {
    const app = await startApp();
    await app.done("a", "a-marker");
    const reader = await EventReader.open(app, "?after=0");
    expect(reader.types).toContain("message.done");
    expect(reader.text).not.toContain("a-marker");
  });

  test("a comment every 15 s keeps it open", async () => {
    const app = await startApp();
    const reader = await EventReader.open(app);
    await app.clock.advance(14_999);
    expect(reader.text).toBe("retry: 1000\n\n");
    await app.clock.advance(1);
    expect(reader.text).toMatch(/^retry: 1000\n\n:.*\n\n$/);
    await app.clock.advance(15_000);
    expect(reader.text.match(/^:/gm)).toHaveLength(2);
    expect(reader.events).toEqual([]);
  });

  test("ends when the daemon ends it, and leaves nothing behind when its reader goes", async () => {
    const app = await startApp();
    const reader = await EventReader.open(app, "?session=a");
    const other = await EventReader.open(app, "?session=a");
    expect(app.services.streams.subscribersOf("a")).toBe(2);
    await other.leave();
    expect(app.services.streams.subscribersOf("a")).toBe(1);
    app.services.streams.endAll();
    await app.clock.settle();
    expect(reader.hasEnded).toBe(true);
    expect(app.services.streams.subscribersOf("a")).toBe(0);
    await app.done("a", "nobody reads");
  });

  test("one reader that goes away does not disturb another", async () => {
    const app = await startApp();
    const stays = await EventReader.open(app);
    const goes = await EventReader.open(app);
    await goes.leave();
    await appendEvents(app, 3);
    await app.clock.settle();
    expect(stays.events).toHaveLength(3);
    expect(goes.events).toEqual([]);
  });
});

describe("filters", () => {
  test.each([
    ["?type=message.done", ["message.done", "message.done"]],
    [
      "?type=message.accepted,session.created",
      ["session.created", "message.accepted", "session.created", "message.accepted"],
    ],
    ["?session=b&type=message.*", ["message.accepted", "message.started", "message.done"]],
    ["?session=b&type=session.created,message.done", ["session.created", "message.done"]],
    ["?session=c", []],
  ])("%s", async (query, expected) => {
    const app = await startApp();
    const reader = await EventReader.open(app, query);
    await app.done("a", "hello");
    await app.done("b", "hello");
    await app.clock.settle();
    expect(reader.types.filter((type) => type !== "message.delta")).toEqual(expected);
    const replayed = await EventReader.open(app, `${query}&after=0`);
    expect(replayed.types).toEqual(expected);
  });

  test("events of no session are told to those who ask for all", async () => {
    const app = await startApp();
    const all = await EventReader.open(app, "?type=settings.*");
    const one = await EventReader.open(app, "?session=a&type=settings.*");
    await app.edit({ turn: { maxAttempts: 3 } });
    await app.clock.settle();
    expect(all.types).toEqual(["settings.planned", "settings.changed"]);
    expect(one.types).toEqual([]);
  });

  test.each([
    "type=",
    "type=message",
    "type=*",
    "type=message.done,",
    "type=Message.Done",
    "session=a%20b",
    "after=-1",
    "after=x",
    "after=1.5",
    "since=1",
  ])("?%s is refused", async (query) => {
    const app = await startApp();
    expect(await refusal(await app.ask(`/api/events?${query}`))).toBe("400 malformed");
  });
});
