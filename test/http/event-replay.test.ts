import { afterEach, describe, expect, test } from "bun:test";
import { refusal } from "./asking.ts";
import { startApp, stopApps } from "./daemon-app.ts";
import { appendEvents, EventReader, newestEvent } from "./event-reader.ts";

afterEach(stopApps);

describe("replay", () => {
  test("begins after the id that is named, and goes on with what happens, without gap or repeat", async () => {
    const app = await startApp();
    await appendEvents(app, 5);
    const last = await newestEvent(app);
    const reader = await EventReader.open(app, `?after=${last - 2}`);
    await appendEvents(app, 2);
    await app.clock.settle();
    expect(reader.ids).toEqual([last - 1, last, last + 1, last + 2]);
  });

  test("Last-Event-ID says the same, and beats the address", async () => {
    const app = await startApp();
    await appendEvents(app, 5);
    const last = await newestEvent(app);
    const reader = await EventReader.open(app, "?after=0", {
      headers: { "Last-Event-ID": String(last - 1) },
    });
    expect(reader.ids).toEqual([last]);
  });

  test("an empty Last-Event-ID says nothing, and one that no event has is refused", async () => {
    const app = await startApp();
    await appendEvents(app, 2);
    const reader = await EventReader.open(app, "", { headers: { "Last-Event-ID": "" } });
    expect(reader.ids).toEqual([]);
    for (const id of ["x", "-1", "1 2"])
      expect(await refusal(await app.ask("/api/events", { headers: { "Last-Event-ID": id } }))).toBe(
        "400 malformed",
      );
  });

  test("after 0 begins with the oldest that is kept", async () => {
    const app = await startApp();
    await appendEvents(app, 3);
    const reader = await EventReader.open(app, "?after=0&session=a");
    expect(reader.events).toHaveLength(3);
  });

  test("an id of the future begins with what happens next", async () => {
    const app = await startApp();
    await appendEvents(app, 3);
    const last = await newestEvent(app);
    const reader = await EventReader.open(app, `?after=${last + 100}`);
    await appendEvents(app, 1);
    await app.clock.settle();
    expect(reader.ids).toEqual([last + 1]);
  });

  test("many pages of it come whole and in order, what happens meanwhile included", async () => {
    const app = await startApp();
    await appendEvents(app, 1800);
    const last = await newestEvent(app);
    const reader = await EventReader.open(app, "?after=0&session=a");
    await appendEvents(app, 30);
    await app.clock.settle();
    const ids = Array.from({ length: 1830 }, (_, index) => last - 1799 + index);
    expect(reader.ids).toEqual(ids);
  });

  test("what is no longer kept is named as a gap", async () => {
    const app = await startApp();
    await appendEvents(app, 10);
    const last = await newestEvent(app);
    app.forgetEvents(last - 4);
    const reader = await EventReader.open(app, `?after=${last - 8}`);
    expect(reader.events[0]).toEqual({
      id: undefined,
      type: "events.gap",
      data: { at: "2026-01-01T00:00:00.000Z", from: last - 7, to: last - 4 },
    });
    expect(reader.ids.slice(1)).toEqual([last - 3, last - 2, last - 1, last]);
    const next = await EventReader.open(app, `?after=${last - 4}`);
    expect(next.ids).toEqual([last - 3, last - 2, last - 1, last]);
  });

  test("where nothing is kept any more, all of it is the gap", async () => {
    const app = await startApp();
    await appendEvents(app, 10);
    const last = await newestEvent(app);
    app.forgetEvents(last);
    const reader = await EventReader.open(app, `?after=${last - 8}`);
    expect(reader.events).toMatchObject([{ type: "events.gap", data: { from: last - 7, to: last } }]);
    const next = await EventReader.open(app, `?after=${last}`);
    expect(next.events).toEqual([]);
  });

  test("with 0 no gap is named: the oldest kept is what was asked for", async () => {
    const app = await startApp();
    await appendEvents(app, 10);
    const last = await newestEvent(app);
    app.forgetEvents(last - 2);
    const reader = await EventReader.open(app, "?after=0");
    expect(reader.ids).toEqual([last - 1, last]);
  });
});

describe("a store that takes its time to read", () => {
  test.each(["before", "after"])(
    "neither hides nor repeats what is committed %s its reading",
    async (when) => {
      const app = await startApp();
      await appendEvents(app, 3);
      const last = await newestEvent(app);
      const { events } = app.services.store;
      const read = events.after.bind(events);
      const asked = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      events.after = async (...given) => {
        const early = when === "after" ? await read(...given) : undefined;
        asked.resolve();
        await goOn.promise;
        return early ?? read(...given);
      };
      const opened = EventReader.open(app, `?after=${last - 1}`);
      await asked.promise;
      await appendEvents(app, 2);
      goOn.resolve();
      const reader = await opened;
      await app.clock.settle();
      expect(reader.ids).toEqual([last, last + 1, last + 2]);
    },
  );
});
