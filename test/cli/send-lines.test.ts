import { afterEach, expect, test } from "bun:test";
import { createApp } from "../../src/http/app.ts";
import { type DaemonApp, startApp, stopApps } from "../http/daemon-app.ts";
import { closeHomes, homeWithDaemon } from "./daemon-home.ts";
import type { Home } from "./segue.ts";

afterEach(closeHomes);
afterEach(stopApps);

async function setup(
  settings: Record<string, unknown>,
  onRequest: (app: DaemonApp) => void = () => {},
): Promise<{ app: DaemonApp; home: Home }> {
  const app = await startApp(settings);
  const interfaceOnSocket = createApp(app.services, "socket");
  const home = homeWithDaemon((request) => {
    onRequest(app);
    return interfaceOnSocket.fetch(request);
  });
  return { app, home };
}

async function contents(app: DaemonApp): Promise<string[]> {
  const { items } = await app.json<{ items: { content: string }[] }>("/api/sessions/a/messages?limit=1000");
  return items.map(({ content }) => content);
}

test("every line is a message, in order; the ids are printed", async () => {
  const { app, home } = await setup({});
  const lines = Array.from({ length: 900 }, (_, n) => `line ${n} "ä"`);
  const stdin = `${lines.slice(0, 600).join("\n")}\r\n\n${lines.slice(600).join("\n")}`;
  const run = await home.segue(["send", "a", "--lines"], { stdin });
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  expect(run.stdout.trim().split("\n")).toHaveLength(900);
  expect(await contents(app)).toEqual(lines);
});

test("with a key the same input can be sent again", async () => {
  const { app, home } = await setup({ limits: { maxPendingPerSession: 2 } });
  const args = ["send", "a", "-", "--lines", "--key", "k", "--json"];
  const [first, second] = [
    await home.segue(args, { stdin: "one\ntwo\nthree\n" }),
    await home.segue(args, { stdin: "one\ntwo\nthree\n" }),
  ];
  expect(second).toEqual(first);
  expect(
    first.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).count),
  ).toEqual([2, 1]);
  expect(await contents(app)).toEqual(["one", "two", "three"]);
});

test("where the inbox is full it waits until there is room", async () => {
  const settings = { limits: { maxPendingPerSession: 1 }, providers: { echo: { delayMs: 1000 } } };
  // The clock goes on with each request: what is in flight ends meanwhile.
  const { app, home } = await setup(settings, (asked) => void asked.clock.advance(600));
  const run = await home.segue(["send", "a", "--lines"], { stdin: "one\ntwo\nthree\n" });
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await contents(app)).toEqual(["one", "two", "three"]);
});

test("it takes no text and no wait, and says so; where a line is refused it says why", async () => {
  const { home } = await setup({ limits: { maxMessageBytes: 10 } });
  expect(await home.segue(["send", "a", "text", "--lines"])).toMatchObject({ exitCode: 2, stdout: "" });
  expect(await home.segue(["send", "a", "--lines", "--wait", "3"])).toMatchObject({
    exitCode: 2,
    stdout: "",
  });
  const run = await home.segue(["send", "a", "--lines"], { stdin: "x".repeat(11) });
  expect(run).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("at most 10 bytes") });
});
