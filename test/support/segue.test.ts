import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { replyOf, startAimock } from "./aimock.ts";
import { runSegue, startSegue } from "./segue.ts";

setDefaultTimeout(60_000);

interface MessageAnswer {
  status: string;
  reply: string;
  model: string;
}

const wait = { Prefer: "wait=30" };

test("the compiled program serves on a data folder of its own, is killed, and serves again on the same", async () => {
  const first = await startSegue();
  expect(existsSync(first.socket)).toBe(true);
  const sent = await first.post<MessageAnswer>("/api/sessions/a/messages", { content: "hello" }, wait);
  expect(sent).toMatchObject({ status: "done", reply: "hello" });
  const done = await first.nextEvent(0, ({ type }) => type === "message.done", "session=a");
  expect(done.data).toMatchObject({ session: "a", seq: 1 });
  expect(await first.kill()).toEqual({ exitCode: null, signal: "SIGKILL" });

  const second = await first.restart();
  const { items } = await second.get<{ items: MessageAnswer[] }>("/api/sessions/a/messages");
  expect(items).toMatchObject([{ status: "done", reply: "hello" }]);
  expect(await second.stop()).toEqual({ exitCode: 0, signal: null });
});

test.each(["claude", "gemini", "openai"])(
  "it speaks to the mock as it would to the vendor of %s",
  async (kind) => {
    const mock = await startAimock({ name: `mock ${kind}` });
    const settings = {
      provider: kind,
      providers: { [kind]: { baseUrl: mock.url, apiKey: "test-key", model: "m-1" } },
    };
    const daemon = await startSegue({ settings });
    const sent = await daemon.post<MessageAnswer>("/api/sessions/a/messages", { content: "one\ntwo" }, wait);
    expect(sent).toMatchObject({ status: "done", reply: replyOf(mock.name, "one\ntwo"), model: "m-1" });
    expect(await mock.calls()).toMatchObject([{ model: "m-1", turns: 1 }]);
    await daemon.stop();
    await mock.stop();
  },
);

test("it runs to its end with the folders of a workspace as its home", async () => {
  const { exitCode, stdout, stderr } = await runSegue(["version"]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});
