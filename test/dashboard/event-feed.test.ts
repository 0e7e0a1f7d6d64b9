import { signal } from "@preact/signals";
import { expect, test } from "bun:test";
import { ApiError } from "../../src/dashboard/link/api.ts";
import { EventFeed, type FeedEvent } from "../../src/dashboard/link/event-feed.ts";
import { ManualClock } from "../support/manual-clock.ts";

/** A connection that the test feeds. */
interface Connection {
  lastId: string | undefined;
  tell: (text: string) => void;
  end: () => void;
  isCut: () => boolean;
}

function setup({ isSeen = true } = {}) {
  const clock = new ManualClock();
  const connections: Connection[] = [];
  const events: FeedEvent[] = [];
  const seen = signal(isSeen);
  const daemon = { isUp: true };
  let opened = 0;
  const open = async (_path: string, lastId: string | undefined, cut: AbortSignal) => {
    if (!daemon.isUp) throw new ApiError(0, { code: "not_reachable" });
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        cut.addEventListener("abort", () => controller.error(new DOMException("cut", "AbortError")));
        connections.push({
          lastId,
          tell: (text) => controller.enqueue(new TextEncoder().encode(text)),
          end: () => controller.close(),
          isCut: () => cut.aborted,
        });
      },
    });
  };
  const feed = new EventFeed({
    api: { open },
    clock,
    path: "api/events",
    isSeen: seen,
    onOpen: () => (opened += 1),
    onEvent: (event) => events.push(event),
  });
  const running = feed.run();
  const stop = async (): Promise<void> => {
    feed.stop();
    await running;
    expect(clock.waiting).toBe(0);
  };
  return { clock, connections, events, seen, daemon, feed, stop, opened: () => opened };
}

const event = (id: number): string => `id: ${id}\nevent: session.idle\ndata: {"session":"a"}\n\n`;

test("a stream that ends is opened again after the event seen last, and said to be lost meanwhile", async () => {
  const { clock, connections, events, feed, stop } = setup();
  await clock.settle();
  connections[0]?.tell(event(1) + event(2));
  await clock.settle();
  connections[0]?.end();
  await clock.settle();
  expect(feed.state.value).toMatchObject({ kind: "lost", since: clock.now() });
  await clock.advance(500);
  expect(connections.map(({ lastId }) => lastId)).toEqual([undefined, "2"]);
  expect(feed.state.value).toEqual({ kind: "live" });
  expect(events.map(({ id }) => id)).toEqual([1, 2]);
  await stop();
});

test("a daemon that does not answer is asked less and less often, and at once when it is wanted", async () => {
  const { clock, connections, daemon, feed, stop } = setup();
  await clock.settle();
  daemon.isUp = false;
  connections[0]?.end();
  const since = clock.now();
  const gaps: number[] = [];
  for (let tries = 0; tries < 7; tries += 1) {
    await clock.settle();
    const state = feed.state.value;
    if (state.kind !== "lost") throw new Error(`it is ${state.kind}`);
    expect(state.since).toBe(since);
    gaps.push(state.nextTryAt - clock.now());
    await clock.advance(state.nextTryAt - clock.now());
  }
  expect(gaps).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000]);
  daemon.isUp = true;
  feed.retryNow();
  await clock.settle();
  expect(feed.state.value).toEqual({ kind: "live" });
  await stop();
});

test("a stream that says nothing for too long is given up; a comment is enough to keep it", async () => {
  const { clock, connections, stop } = setup();
  await clock.settle();
  await clock.advance(39_000);
  connections[0]?.tell(": still here\n\n");
  await clock.advance(39_000);
  expect(connections[0]?.isCut()).toBe(false);
  await clock.advance(1500);
  expect(connections[0]?.isCut()).toBe(true);
  expect(connections).toHaveLength(2);
  await stop();
});

test("a page that nobody sees holds no connection, and goes on where it was", async () => {
  const { clock, connections, seen, feed, opened, stop } = setup();
  await clock.settle();
  connections[0]?.tell(event(7));
  await clock.settle();
  seen.value = false;
  await clock.settle();
  expect(connections[0]?.isCut()).toBe(true);
  expect(feed.state.value).toEqual({ kind: "resting" });
  await clock.advance(3_600_000);
  expect(connections).toHaveLength(1);
  seen.value = true;
  await clock.settle();
  expect(connections.map(({ lastId }) => lastId)).toEqual([undefined, "7"]);
  expect([feed.state.value.kind, opened()]).toEqual(["live", 2]);
  await stop();
});

test("a feed that is stopped while it rests, waits or reads leaves nothing behind", async () => {
  const resting = setup({ isSeen: false });
  await resting.clock.settle();
  await resting.stop();
  const waiting = setup();
  await waiting.clock.settle();
  waiting.connections[0]?.end();
  await waiting.clock.settle();
  await waiting.stop();
  const reading = setup();
  await reading.clock.settle();
  await reading.stop();
  expect(reading.connections[0]?.isCut()).toBe(true);
});
