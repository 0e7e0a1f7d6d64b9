import { afterEach, describe, expect, test } from "bun:test";
import { startApp, stopApps } from "./daemon-app.ts";
import { appendEvents, EventReader, newestEvent } from "./event-reader.ts";

afterEach(stopApps);

describe("a reader that is too slow", () => {
  const megabyte = 1024 * 1024;

  test("is told what it has missed, and is closed; others go on", async () => {
    const app = await startApp();
    const stuck = await app.ask("/api/events");
    const quick = await EventReader.open(app);
    await app.clock.settle();
    for (let round = 0; round < 8; round++) await appendEvents(app, 1, megabyte);
    await app.clock.settle();
    expect(quick.events).toHaveLength(8);
    const text = await stuck.text();
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    expect(ids.length).toBeGreaterThan(0);
    expect(ids.length).toBeLessThan(8);
    const [, gap] = /event: events\.gap\ndata: (.*)\n\n$/.exec(text) ?? [];
    const { from, to }: { from: number; to: number } = JSON.parse(gap ?? "{}");
    expect(from).toBe((ids.at(-1) ?? 0) + 1);
    expect(to).toBeLessThanOrEqual(await newestEvent(app));
    const back = await EventReader.open(app, "", { headers: { "Last-Event-ID": String(ids.at(-1)) } });
    expect(back.ids[0]).toBe(from);
    expect(ids.length + back.ids.length).toBe(8);
  });

  test("while it is behind it is waited for, and what happens meanwhile is not piled up for it", async () => {
    const app = await startApp();
    await appendEvents(app, 600, 1024);
    const first = (await newestEvent(app)) - 599;
    const stuck = await app.ask(`/api/events?session=a&after=${first - 1}`);
    await app.clock.settle();
    const before = heapOf();
    for (let round = 0; round < 40; round++) await appendEvents(app, 1, megabyte);
    expect(heapOf() - before).toBeLessThan(20 * megabyte);

    const stream = stuck.body?.getReader();
    const decoder = new TextDecoder();
    let text = "";
    while (!text.includes(`id: ${first + 639}\n`)) {
      const read = await stream?.read();
      text += decoder.decode(read?.value, { stream: true });
    }
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    expect(ids).toEqual(Array.from({ length: 640 }, (_, index) => first + index));
    await stream?.cancel();
  });
});

function heapOf(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
}
