import { afterEach, expect, test } from "bun:test";
import { SegueError } from "../../src/core/errors.ts";
import { startApp, stopApps } from "../http/daemon-app.ts";

afterEach(stopApps);

test("a store that fails right after the swap is waited for: what is pending is taken up by itself", async () => {
  const app = await startApp({ provider: "echo", providers: { echo: { delayMs: 1000 } } });
  const { sessions } = app.services.store;
  const withPending = sessions.withPending.bind(sessions);
  await app.post("a", "first");
  const restarting = app.restart(async () => {
    await app.post("a", "second");
    sessions.withPending = async () => {
      sessions.withPending = withPending;
      throw new SegueError("storage", "the store cannot be used now");
    };
  });
  await app.clock.advance(10_000);
  await restarting;
  await app.clock.advance(10_000);
  const { items } = await app.json<{ items: { status: string }[] }>("/api/sessions/a/messages");
  expect(items.map(({ status }) => status)).toEqual(["done", "done"]);
  // It is told once.
  expect(app.faults.splice(0)).toHaveLength(1);
});
