import { afterEach, describe, expect, test } from "bun:test";
import { startApp, stopApps } from "./daemon-app.ts";
import { appendEvents, EventReader, newestEvent } from "./event-reader.ts";

afterEach(stopApps);

const megabyte = 1024 * 1024;

describe("a reader that is too slow", () => {
  test("is told what it has missed, and is closed; others go on", async () => {
    const app = await startApp();
    const stuck = await app.ask("/api/events");
    const quick = await EventReader.open(app);
    await app.clock.settle();
    for (let round = 0; round < 8; round++) await appendEvents(app, 1, megabyte);
    await app.clock.settle();
    expect(quick.events).toHaveLength(8);
    const text = await stuck.text();
    const ids = idsIn(text);
    expect(ids.length).toBeGreaterThan(0);
    expect(ids.length).toBeLessThan(8);
    const { from, to } = gapIn(text);
    expect(from).toBe((ids.at(-1) ?? 0) + 1);
    expect(to).toBeLessThanOrEqual(await newestEvent(app));
    const back = await EventReader.open(app, "", { headers: { "Last-Event-ID": String(ids.at(-1)) } });
    expect(back.ids[0]).toBe(from);
    expect(ids.length + back.ids.length).toBe(8);
  });

  test("while it is behind it is waited for, and what happens meanwhile comes in its order", async () => {
    const app = await startApp();
    await appendEvents(app, 600, 1024);
    const first = (await newestEvent(app)) - 599;
    const stuck = await app.ask(`/api/events?session=a&after=${first - 1}`);
    await app.clock.settle();
    for (let round = 0; round < 4; round++) await appendEvents(app, 1, megabyte);
    const stream = stuck.body?.getReader();
    const ids = await idsUntil(stream, first + 603);
    expect(ids).toEqual(Array.from({ length: 604 }, (_, index) => first + index));
    await stream?.cancel();
  });

  test("while it is behind it is too slow too where it takes nothing at all", async () => {
    const app = await startApp();
    await appendEvents(app, 600, 1024);
    const first = (await newestEvent(app)) - 599;
    const stuck = await app.ask(`/api/events?session=a&after=${first - 1}`);
    await app.clock.settle();
    for (let round = 0; round < 6; round++) await appendEvents(app, 1, megabyte);
    const text = await stuck.text();
    const ids = idsIn(text);
    expect(gapIn(text).from).toBe((ids.at(-1) ?? 0) + 1);
    expect(app.services.streams.dropped).toBeGreaterThan(600 - ids.length);
  });

  test("pieces of replies alone can be too much for it, after a while; who reads does without, and goes on", async () => {
    const app = await startApp();
    const stuck = await app.ask("/api/events");
    const quick = await EventReader.open(app);
    await app.clock.settle();
    const flood = (): void => {
      const text = "x".repeat(megabyte / 2);
      for (let n = 0; n < 20; n++) app.services.streams.delta({ session: "a", message: "m", seq: 1, text });
    };
    flood();
    await appendEvents(app, 1);
    await app.clock.advance(3000);
    flood();
    await appendEvents(app, 1);
    const text = await stuck.text();
    expect(gapIn(text)).toMatchObject({ from: (idsIn(text).at(-1) ?? 0) + 1, to: await newestEvent(app) });
    await app.clock.settle();
    expect(quick.hasEnded).toBeFalse();
    expect(quick.types.filter((type) => type === "session.recovered")).toHaveLength(2);
    await quick.leave();
  });

  test("what comes at once is too much for nobody who reads", async () => {
    const app = await startApp();
    const reader = await EventReader.open(app, "?session=a");
    await appendEvents(app, 3000, 4096);
    await app.clock.settle();
    await app.until(async () => reader.events.length === 3000);
    expect(reader.ids).toEqual(Array.from({ length: 3000 }, (_, index) => (reader.ids[0] ?? 0) + index));
    expect(reader.hasEnded).toBeFalse();
    await reader.leave();
  });
});

test("readers that read nothing hold no more than a bound, all together, and those who read miss nothing", async () => {
  const app = await startApp();
  const readers = 2000;
  const stuck = await Promise.all(Array.from({ length: readers }, () => app.ask("/api/events?session=a")));
  const quick = await EventReader.open(app, "?session=a");
  const before = heapOf();
  for (let round = 0; round < 300; round++) await appendEvents(app, 50, 200);
  await app.clock.settle();
  const held = heapOf() - before;
  console.log(`${readers} readers that read nothing hold ${Math.round(held / megabyte)} MiB`);
  expect(held).toBeLessThan(64 * megabyte);
  await app.until(async () => quick.events.length === 15_000);
  for (const { body } of stuck) await body?.cancel();
  await quick.leave();
});

/** The ids that are read up to one of them. */
async function idsUntil(
  stream: ReadableStreamDefaultReader<Uint8Array> | undefined,
  last: number,
): Promise<number[]> {
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes(`id: ${last}\n`)) {
    const read = await stream?.read();
    if (read === undefined || read.done) break;
    text += decoder.decode(read.value, { stream: true });
  }
  return idsIn(text);
}

function idsIn(text: string): number[] {
  return [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
}

/** What the gap that a stream ends with says. */
function gapIn(text: string): { from: number; to: number } {
  const [, gap = ""] = /event: events\.gap\ndata: (.*)\n\n$/.exec(text) ?? [];
  return JSON.parse(gap);
}

function heapOf(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
}
