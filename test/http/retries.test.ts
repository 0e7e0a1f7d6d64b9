import { afterEach, expect, test } from "bun:test";
import { refusal, type ShownMessage } from "./asking.ts";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

const failing = {
  provider: "command",
  providers: { command: { argv: ["/bin/false"] } },
  turn: { maxAttempts: 1 },
};

/** An app in which these messages of session `a` have failed, and that answers from now on. */
async function withFailed(contents: readonly string[]): Promise<{ app: DaemonApp; failed: ShownMessage[] }> {
  const app = await startApp(failing);
  const failed: ShownMessage[] = [];
  for (const content of contents) failed.push(await app.done("a", content));
  expect(failed.map(({ status }) => status)).toEqual(contents.map(() => "failed"));
  await app.edit({});
  return { app, failed };
}

async function inbox(app: DaemonApp): Promise<(ShownMessage & { retryOf: string | null })[]> {
  await app.clock.advance(0);
  const { items } = await app.json<{ items: (ShownMessage & { retryOf: string | null })[] }>(
    "/api/sessions/a/messages",
  );
  return items;
}

test("a failed message that is retried becomes a new one at the end, and is answered", async () => {
  const { app, failed } = await withFailed(["one"]);
  const response = await app.ask(`/api/messages/${failed[0]?.id}/retry`, { method: "POST" });
  expect(response.status).toBe(202);
  const again = await response.json();
  expect(again).toMatchObject({ seq: 2, content: "one", retryOf: failed[0]?.id });
  expect(response.headers.get("Location")).toBe(`/api/messages/${again.id}`);
  expect((await inbox(app)).map(({ status, reply }) => [status, reply])).toEqual([
    ["failed", null],
    ["done", "one"],
  ]);
});

test("all failed messages of a session are retried in order, each once", async () => {
  const { app, failed } = await withFailed(["one", "two"]);
  const path = "/api/sessions/a/retry";
  const response = await app.ask(path, { method: "POST" });
  expect([response.status, await response.json()]).toEqual([202, { count: 2 }]);
  expect((await inbox(app)).slice(2).map(({ content, retryOf }) => [content, retryOf])).toEqual([
    ["one", failed[0]?.id ?? ""],
    ["two", failed[1]?.id ?? ""],
  ]);
  expect(await app.json(path, { method: "POST" })).toEqual({ count: 0 });
});

test("only a failed message is retried, and only one that is there", async () => {
  const { app } = await withFailed([]);
  const done = await app.done("a", "hello");
  const retry = async (path: string): Promise<string> => refusal(await app.ask(path, { method: "POST" }));
  expect(await retry(`/api/messages/${done.id}/retry`)).toBe("409 wrong_status");
  expect(await retry("/api/messages/msg_none/retry")).toBe("404 message_not_found");
  expect(await retry("/api/messages/-/retry")).toBe("400 malformed");
  expect(await retry("/api/sessions/none/retry")).toBe("404 session_not_found");
});

test("more than a session may have pending are not retried, none of them", async () => {
  const { app } = await withFailed(["one", "two"]);
  await app.edit({ limits: { maxPendingPerSession: 1 } });
  const response = await app.ask("/api/sessions/a/retry", { method: "POST" });
  expect(response.headers.get("Retry-After")).toMatch(/^\d+$/);
  expect(await refusal(response)).toBe("429 too_many_pending");
  expect(await inbox(app)).toHaveLength(2);
});
