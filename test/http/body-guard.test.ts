import { afterEach, describe, expect, test } from "bun:test";
import { refusal } from "./asking.ts";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

const mebibyte = 1024 * 1024;

/** Posts a body that begins with so many mebibytes; `end` is called with what it should end with. */
function postUnfinished(app: DaemonApp, mebibytes: number): { answer: Promise<Response>; end: () => void } {
  let end = (): void => {};
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (let n = 0; n < mebibytes; n++) controller.enqueue(new Uint8Array(mebibyte).fill(97));
      end = () => controller.close();
    },
  });
  const headers = { "Content-Type": "text/plain" };
  return { answer: app.ask("/api/sessions/a/messages", { body, headers }), end };
}

test("long bodies that do not end are held up to a bound, the next is refused, short ones go on", async () => {
  const app = await startApp();
  const unfinished = Array.from({ length: 8 }, () => postUnfinished(app, 31));
  await app.clock.settle();
  const next = await postUnfinished(app, 31).answer;
  expect(next.headers.get("Retry-After")).toMatch(/^\d+$/);
  expect(await refusal(next)).toBe("429 too_many_pending");
  expect(await app.done("a", "short")).toMatchObject({ status: "done" });
  for (const { end } of unfinished) end();
  for (const { answer } of unfinished) expect(await refusal(await answer)).toBe("413 too_large");
  const again = postUnfinished(app, 31);
  again.end();
  expect(await refusal(await again.answer)).toBe("413 too_large");
});

test("a body that takes too long is refused", async () => {
  const app = await startApp();
  const { answer } = postUnfinished(app, 1);
  await app.clock.advance(120_000);
  expect(await refusal(await answer)).toBe("400 malformed");
});

test("a body of an unknown length that ends is taken as it is", async () => {
  const app = await startApp({ limits: { maxMessageBytes: 3 * mebibyte } });
  const { answer, end } = postUnfinished(app, 2);
  end();
  expect(await (await answer).json()).toMatchObject({ content: "a".repeat(2 * mebibyte) });
});

describe("a body that says how long it is", () => {
  /** Posts one of which only the beginning comes. */
  function postHalf(app: DaemonApp, length: number): Promise<Response> {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(8).fill(97)),
    });
    const headers = { "Content-Type": "text/plain", "Content-Length": String(length) };
    return app.ask("/api/sessions/a/messages", { body, headers });
  }

  test("is waited for no longer than others, and its connection goes", async () => {
    const app = await startApp();
    const answer = postHalf(app, 1000);
    await app.clock.advance(119_000);
    await app.clock.advance(1000);
    const response = await answer;
    expect(response.headers.get("Connection")).toBe("close");
    expect(await refusal(response)).toBe("400 malformed");
  });

  test.each([
    ["short ones", 64 * 1024, 1024],
    ["longer ones", mebibyte, 256],
  ])("counts as that long: of %s so many are waited for, and others go on", async (_, length, most) => {
    const app = await startApp({ limits: { maxMessageBytes: 3 * mebibyte } });
    const halves = Array.from({ length: most }, () => postHalf(app, length));
    await app.clock.settle();
    const next = await postHalf(app, length);
    expect(next.headers.get("Retry-After")).toMatch(/^\d+$/);
    expect(await refusal(next)).toBe("429 too_many_pending");
    const other = "b".repeat(length > 64 * 1024 ? 10 : 100 * 1024);
    const headers = { "Content-Type": "text/plain", "Content-Length": String(other.length) };
    expect((await app.ask("/api/sessions/b/messages", { body: other, headers })).status).toBe(202);
    await app.clock.advance(120_000);
    for (const half of halves) expect(await refusal(await half)).toBe("400 malformed");
    expect(await app.done("a", "again")).toMatchObject({ status: "done" });
  });

  test("is not late for what its answer waits for", async () => {
    const app = await startApp({ providers: { echo: { delayMs: 200_000 } }, turn: { timeoutMs: 600_000 } });
    const answer = app.json("/api/sessions/a/messages", {
      json: { content: "slow" },
      headers: { Prefer: "wait=300", "Content-Length": "18" },
    });
    await app.clock.settle();
    await app.clock.advance(200_000);
    expect(await answer).toMatchObject({ status: "done" });
  });
});
