import { afterEach, describe, expect, test } from "bun:test";
import { refusal, type ShownMessage } from "./asking.ts";
import { type DaemonApp, startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

const inbox = "/api/sessions/a/messages";

async function contents(app: DaemonApp): Promise<string[]> {
  const response = await app.ask(inbox);
  if (response.status === 404) return [];
  const { items }: { items: ShownMessage[] } = await response.json();
  return items.map(({ content }) => content);
}

describe("an Idempotency-Key", () => {
  const post = (app: DaemonApp, content: string, key: string, session = "a"): Promise<Response> =>
    app.ask(`/api/sessions/${session}/messages`, { json: { content }, headers: { "Idempotency-Key": key } });

  test("makes a repeat answer with the same message, as it is now", async () => {
    const app = await startApp();
    const first = await post(app, "hello", "k");
    expect([first.status, first.headers.get("Idempotency-Replayed")]).toEqual([202, null]);
    const { id } = await first.json();
    await app.done("a", "after it");
    const again = await post(app, "hello", "k");
    expect([again.status, again.headers.get("Idempotency-Replayed")]).toEqual([200, "true"]);
    expect(again.headers.get("Location")).toBe(`/api/messages/${id}`);
    expect(await again.json()).toMatchObject({ id, status: "done", reply: "hello" });
    expect(await contents(app)).toEqual(["hello", "after it"]);
  });

  test("does so for two posts at the same time", async () => {
    const app = await startApp();
    const both = await Promise.all([post(app, "hello", "k"), post(app, "hello", "k")]);
    const [one, two] = await Promise.all(both.map((response) => response.json()));
    expect(one.id).toBe(two.id);
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 202]));
    expect(await contents(app)).toEqual(["hello"]);
  });

  test("stands for the content, in whichever media type it comes", async () => {
    const app = await startApp();
    await post(app, "hello", "k");
    const headers = { "Content-Type": "text/plain", "Idempotency-Key": "k" };
    expect((await app.ask(inbox, { body: "hello", headers })).status).toBe(200);
    expect(await refusal(await app.ask(inbox, { body: "other", headers }))).toBe("409 idempotency_conflict");
  });

  test("counts within its session", async () => {
    const app = await startApp();
    await post(app, "hello", "k");
    expect((await post(app, "other", "k", "b")).status).toBe(202);
  });

  test("makes a repeat answer even where there is no room for another message", async () => {
    const app = await startApp({
      limits: { maxPendingPerSession: 1 },
      provider: "slow",
      providers: { slow: { kind: "echo", model: "m", delayMs: 9000 } },
    });
    await app.post("a", "in flight");
    await app.clock.settle();
    await post(app, "waiting", "k");
    expect((await post(app, "waiting", "k")).status).toBe(200);
    expect(await refusal(await post(app, "waiting", "l"))).toBe("429 too_many_pending");
  });

  const wrong: [string, string][] = [
    ["empty", ""],
    ["two words", "a b"],
    ["words with a tab between", "a\tb"],
    ["beyond ASCII", "schl\u00fcssel"],
    ["longer than 255 characters", "x".repeat(256)],
  ];

  test.each(wrong)("cannot be %s", async (_name, key) => {
    const app = await startApp();
    expect(await refusal(await post(app, "hello", key))).toBe("400 malformed");
    expect(await contents(app)).toEqual([]);
  });

  test("may have 255 visible characters", async () => {
    const app = await startApp();
    expect((await post(app, "hello", `!~${"x".repeat(253)}`)).status).toBe(202);
  });
});
