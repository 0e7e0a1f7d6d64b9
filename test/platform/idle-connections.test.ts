import { expect, test } from "bun:test";
import { connect } from "node:net";
import { listen } from "../../src/platform/bun.ts";
import { eventually } from "../support/eventually.ts";

// The server looks every four seconds, and gives a connection's first request ten: this waits for it, and does nothing.
const host = { host: "127.0.0.1", port: 0 };

interface Connection {
  /** What it was sent so far. */
  received: string;
  closed: Promise<void>;
  write: (text: string) => void;
  close: () => void;
}

/** A connection that reads what comes; `isReading` false: that never does. */
function open(port: number, { isReading = true } = {}): Connection {
  const socket = connect({ host: host.host, port });
  const closed = Promise.withResolvers<void>();
  const connection: Connection = {
    received: "",
    closed: closed.promise,
    write: (text) => void socket.write(text),
    close: () => void socket.destroy(),
  };
  if (isReading) socket.on("data", (bytes) => (connection.received += bytes.toString()));
  socket.on("close", () => closed.resolve());
  socket.on("error", () => closed.resolve());
  return connection;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;

test("a connection on which nothing is answered is cut; a request that is being answered is not, nor a stream that is read", async () => {
  const release = Promise.withResolvers<void>();
  const stalled = Promise.withResolvers<void>();
  let beat: ReturnType<typeof setInterval> | undefined;
  const streams: Record<string, () => ReadableStream<Uint8Array>> = {
    "/read": () =>
      new ReadableStream({
        start: (controller) => {
          beat = setInterval(() => controller.enqueue(new TextEncoder().encode(": still here\n\n")), 500);
        },
        cancel: () => clearInterval(beat),
      }),
    "/stalled": () =>
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)),
        cancel: () => stalled.resolve(),
      }),
  };
  const listener = listen(
    host,
    async ({ url }) => {
      const { pathname } = new URL(url);
      const stream = streams[pathname];
      if (stream) return new Response(stream(), { headers: { "Content-Type": "text/event-stream" } });
      if (pathname === "/slow") await release.promise;
      return new Response("answered");
    },
    1,
  );
  const { port } = listener;
  const silent = open(port);
  const half = open(port);
  half.write("GET / HTTP/1.1\r\nHo");
  const idle = open(port);
  idle.write(get("/"));
  const slow = open(port);
  slow.write(get("/slow"));
  const read = open(port);
  read.write(get("/read"));
  const stuck = open(port, { isReading: false });
  stuck.write(get("/stalled"));
  await Promise.all([silent.closed, half.closed, idle.closed, stalled.promise]);
  expect(idle.received).toEndWith("answered");
  release.resolve();
  await eventually("the slow answer", () => slow.received.endsWith("answered"));
  expect(slow.received).toEndWith("answered");
  const beats = read.received.split(": still here").length;
  expect(beats).toBeGreaterThan(2);
  slow.close();
  read.close();
  stuck.close();
  await read.closed;
  await listener.stop(true);
  clearInterval(beat);
}, 60_000);
