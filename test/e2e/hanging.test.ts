import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { scripts, serveScript, sse, streamed } from "../providers/scripted-server.ts";
import { digestOf, replyOf, startAimock } from "../support/aimock.ts";
import { eventually } from "../support/eventually.ts";
import { isRunning } from "../support/processes.ts";
import { startSegue, type Segue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";
import type { MessageAnswer } from "./answers.ts";
import { vendorNames } from "./vendors.ts";

setDefaultTimeout(60_000);

const never = 600_000;

describe("a program that does not end", () => {
  /** Writes down its own number and that of a child of its, and waits for ever. */
  const hang = "sleep 600 & echo $$ $! >>pids; wait";

  interface Hanging {
    segue: Segue;
    message: MessageAnswer;
    /** Every process that was written down so far. */
    pids: () => number[];
  }

  async function startHanging(script: string, turn: object = {}): Promise<Hanging> {
    const folder = makeFolder("program");
    const argv = ["sh", "-c", `cd '${folder}'; ${script}`];
    const segue = await startSegue({
      settings: { provider: "command", providers: { command: { argv } }, turn, daemon: { graceMs: 0 } },
    });
    const message = await segue.post<MessageAnswer>("/api/sessions/held/messages", { content: "go" });
    const path = join(folder, "pids");
    const pids = (): number[] =>
      existsSync(path) ? readFileSync(path, "utf8").trim().split(/\s+/).map(Number) : [];
    await eventually("the program to have started", () => pids().length >= 2);
    return { segue, message, pids };
  }

  async function expectGone(pids: readonly number[]): Promise<void> {
    await eventually("the end of the program", () => pids.every((pid) => !isRunning(pid)));
  }

  test.each<[string, (hanging: Hanging) => Promise<unknown>]>([
    ["its message is cancelled", ({ segue, message }) => segue.post(`/api/messages/${message.id}/cancel`)],
    ["its session is deleted", ({ segue }) => segue.request("/api/sessions/held", { method: "DELETE" })],
    ["the daemon stops", ({ segue }) => segue.stop()],
  ])("goes with all it started when %s", async (_, end) => {
    const hanging = await startHanging(hang);
    const pids = hanging.pids();
    expect(pids.filter(isRunning)).toEqual(pids);
    await end(hanging);
    await expectGone(pids);
    await hanging.segue.stop();
  });

  test("goes even if it does not heed the signal to end", async () => {
    const { segue, message, pids } = await startHanging(`trap '' TERM; ${hang}`);
    await segue.post(`/api/messages/${message.id}/cancel`);
    await expectGone(pids());
    await segue.stop();
  });

  test("is ended by turn.timeoutMs, and its message fails when the attempts are used up", async () => {
    const turn = { timeoutMs: 1000, maxAttempts: 2, retryMs: 1 };
    const { segue, message, pids } = await startHanging(hang, turn);
    const failed = await segue.nextEvent(0, ({ type }) => type === "message.failed");
    expect(failed.data).toMatchObject({ message: message.id, error: { kind: "overloaded" } });
    expect(await segue.get(`/api/messages/${message.id}`)).toMatchObject({
      status: "failed",
      attempts: 2,
      error: { kind: "overloaded", message: expect.stringContaining("turn.timeoutMs (1000 ms)") },
    });
    expect(pids()).toHaveLength(4);
    await expectGone(pids());
    await segue.stop();
  });
});

describe("a server that does not answer", () => {
  test.each(vendorNames)("is left after turn.timeoutMs, and asked again (%s)", async (vendor) => {
    const server = await startAimock({ name: vendor });
    await server.hold();
    const segue = await startSegue({
      settings: {
        provider: vendor,
        providers: { [vendor]: { baseUrl: server.url } },
        turn: { timeoutMs: 300, retryMs: 300 },
      },
    });
    const { id } = await segue.post<MessageAnswer>("/api/sessions/held/messages", { content: "Hello?" });
    const requeued = await segue.nextEvent(0, ({ type }) => type === "message.requeued");
    expect(requeued.data).toMatchObject({ message: id, reason: "retry", error: { kind: "overloaded" } });
    await server.release();
    await segue.nextEvent(0, ({ type }) => type === "message.done");
    const message = await segue.get<MessageAnswer>(`/api/messages/${id}`);
    expect(message).toMatchObject({ status: "done", reply: replyOf(vendor, "Hello?"), error: null });
    const calls = await server.calls();
    expect(calls).toHaveLength(message.attempts);
    expect(message.attempts).toBeGreaterThan(1);
    expect(new Set(calls.map(({ digest }) => digest))).toEqual(new Set([digestOf("Hello?")]));
    await segue.stop();
    await server.stop();
  });
});

describe("a server that begins an answer", () => {
  const { begin, finish } = scripts.openai;

  /** Answers the first call by `first`, the others as it should. */
  function startServer(first: () => Response): ReturnType<typeof serveScript> {
    let calls = 0;
    return serveScript(() => (calls++ === 0 ? first() : streamed(sse([...begin, ...finish], true))));
  }

  function unending(everyMs: number, onCancel: () => void): Response {
    let timer: ReturnType<typeof setInterval>;
    const bytes = new TextEncoder().encode(sse(begin));
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(bytes);
        timer = setInterval(() => controller.enqueue(bytes), everyMs);
      },
      cancel: () => {
        clearInterval(timer);
        onCancel();
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }

  test.each([
    ["falls silent", never, { timeoutMs: 300, retryMs: 1 }, "turn.timeoutMs"],
    ["never comes to its end", 20, { maxDurationMs: 400, retryMs: 1 }, "turn.maxDurationMs"],
  ])(
    "and %s is left, its half answer is thrown away, and it is asked again",
    async (_, everyMs, turn, limit) => {
      const left = Promise.withResolvers<void>();
      const server = startServer(() => unending(everyMs, left.resolve));
      const segue = await startSegue({
        settings: { provider: "openai", providers: { openai: { baseUrl: server.url } }, turn },
      });
      const path = "/api/sessions/held/messages";
      const message = await segue.post<MessageAnswer>(path, { content: "Hello?" }, { Prefer: "wait=30" });
      expect(message).toMatchObject({ status: "done", reply: "Half a", attempts: 2, error: null });
      const requeued = await segue.nextEvent(0, ({ type }) => type === "message.requeued");
      expect(requeued.data["error"]).toMatchObject({ message: expect.stringContaining(limit) });
      await left.promise;
      expect(server.requests).toHaveLength(2);
      await segue.stop();
      await server.stop();
    },
  );
});
