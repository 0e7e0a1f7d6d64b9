import { afterEach, expect, test } from "bun:test";
import { createApp } from "../../src/http/app.ts";
import { type DaemonApp, startApp, stopApps } from "../http/daemon-app.ts";
import { closeHomes, homeWithDaemon } from "./daemon-home.ts";
import type { Home } from "./segue.ts";

afterEach(closeHomes);
afterEach(stopApps);

const failing = {
  provider: "command",
  providers: { command: { argv: ["/bin/false"] } },
  turn: { maxAttempts: 1 },
};
const slow = { providers: { echo: { delayMs: 60_000 } } };

/** A home whose daemon has these settings. */
async function setup(settings: Record<string, unknown>): Promise<{ app: DaemonApp; home: Home }> {
  const app = await startApp(settings);
  const interfaceOnSocket = createApp(app.services, "socket");
  return { app, home: homeWithDaemon((request) => interfaceOnSocket.fetch(request)) };
}

test("cancel ends a message; one that has ended cannot be cancelled", async () => {
  const { app, home } = await setup(slow);
  const { id } = await app.post("a", "hello");
  expect(await home.segue(["cancel", id])).toEqual({
    exitCode: 0,
    stdout: `Message ${id} is cancelled.\n`,
    stderr: "",
  });
  const again = await home.segue(["cancel", id]);
  expect(again).toMatchObject({ exitCode: 1, stdout: "" });
  expect(again.stderr).toContain("cancelled already");
});

test("retry prints the id of the new message, with --session how many there are", async () => {
  const { app, home } = await setup(failing);
  const failed = await app.done("a", "one");
  await app.done("a", "two");
  const one = await home.segue(["retry", failed.id]);
  expect(one).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await app.json(`/api/messages/${one.stdout.trim()}`)).toMatchObject({ retryOf: failed.id });
  expect(await home.segue(["retry", failed.id, "--json"])).toMatchObject({
    stdout: expect.stringContaining(`"retryOf":"${failed.id}"`),
  });
  await app.edit(slow);
  const all = await home.segue(["retry", "--session", "a"]);
  expect(all.exitCode).toBe(0);
  expect(all.stdout).toMatch(/^\d+ failed messages? (is|are) pending again\.\n$/);
  expect((await home.segue(["retry", "--session", "a", "--json"])).stdout).toBe('{"count":0}\n');
  expect((await home.segue(["retry", "--session", "a"])).stdout).toContain("No message");
});

test.each([[["retry"]], [["retry", "msg_1", "--session", "a"]]])(
  "segue %p is refused: it says too little or too much",
  async (args) => {
    const { home } = await setup({});
    const run = await home.segue(args);
    expect(run).toMatchObject({ exitCode: 2, stdout: "" });
    expect(run.stderr).toContain("segue retry MESSAGE, or segue retry --session SESSION");
  },
);

test("rm deletes a session; one that is not there is said to be missing", async () => {
  const { app, home } = await setup({});
  await app.done("a", "hello");
  expect(await home.segue(["rm", "a"])).toEqual({
    exitCode: 0,
    stdout: "Session a is deleted.\n",
    stderr: "",
  });
  expect((await app.ask("/api/sessions/a")).status).toBe(404);
  expect(await home.segue(["rm", "a", "--json"])).toMatchObject({ exitCode: 1, stdout: "" });
  await app.post("b", "hello");
  expect(await home.segue(["rm", "b", "--json"])).toEqual({ exitCode: 0, stdout: "", stderr: "" });
});

test("restart of a session gives it another generator", async () => {
  const { app, home } = await setup({});
  await app.done("a", "hello");
  const { generatorId } = await app.json("/api/sessions/a");
  expect(await home.segue(["restart", "a"])).toMatchObject({
    exitCode: 0,
    stdout: "Session a is restarted.\n",
  });
  await app.clock.settle();
  const after = await app.json("/api/sessions/a");
  expect(after["generatorId"]).not.toBe(generatorId);
  await app.edit(slow);
  await app.post("a", "takes long");
  await app.clock.settle();
  expect((await home.segue(["restart", "a"])).stdout).toContain("when its present turn ends");
});

test("restart of the daemon waits until another instance serves", async () => {
  const phases = ["serving", "draining", "draining", "serving"];
  let asked = 0;
  const home = homeWithDaemon((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/settings")
      return Response.json({
        revision: 1,
        settings: { provider: "echo", daemon: { graceMs: 20_000 }, providers: {} },
      });
    if (request.method === "POST") return Response.json({ phase: "draining" }, { status: 202 });
    const phase = phases[asked] ?? "serving";
    const instanceId = asked++ < 3 ? "boot_1" : "boot_2";
    const info = {
      pid: 1,
      version: "1.2.3",
      startedAt: "2026-01-01T00:00:00.000Z",
      settingsPath: "",
      dataDir: "",
    };
    return Response.json({ ...info, instanceId, phase, url: "http://127.0.0.1:4747" });
  });
  expect(await home.segue(["restart"])).toEqual({
    exitCode: 0,
    stdout: "Restarted; it serves at http://127.0.0.1:4747.\n",
    stderr: "",
  });
  expect(asked).toBe(4);
});
