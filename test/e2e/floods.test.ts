import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { eventually } from "../support/eventually.ts";
import { cleanEnv, runChild } from "../support/processes.ts";
import { startSegue, type Segue } from "../support/segue.ts";
import { makeFolder } from "../support/workspace.ts";
import type { MessageAnswer } from "./answers.ts";
import { head, RawConnection } from "./raw-connection.ts";

setDefaultTimeout(120_000);

const mebibyte = 1024 * 1024;
const isLinux = process.platform === "linux";
/** How many take part; the machine's limit of open files allows for ten thousand on either side, and so does this. */
const crowd = Number(process.env["SEGUE_TEST_CROWD"] ?? 1000);

const opened = new Set<RawConnection>();
afterEach(() => {
  for (const connection of opened) connection.close();
  opened.clear();
});

const portOf = ({ url }: Segue): number => Number(new URL(url).port);

/** Opens so many connections that send the same; `isReading` false: they take nothing of the answer. */
async function openMany(
  segue: Segue,
  count: number,
  text: string,
  isReading: boolean,
): Promise<RawConnection[]> {
  const many: RawConnection[] = [];
  while (many.length < count) {
    const some = Array.from({ length: Math.min(100, count - many.length) }, () =>
      RawConnection.open(portOf(segue), { isReading }),
    );
    for (const connection of await Promise.all(some)) {
      opened.add(connection);
      many.push(connection);
      connection.send(text);
    }
  }
  return many;
}

/** Memory of the daemon's process, in MiB; the highest it ever was, where `isPeak`. */
function memoryOf(segue: Segue, isPeak = false): number {
  const status = readFileSync(`/proc/${segue.process.pid}/status`, "utf8");
  const [, kibibytes] = (isPeak ? /^VmHWM:\s+(\d+)/m : /^VmRSS:\s+(\d+)/m).exec(status) ?? [];
  return Math.round(Number(kibibytes) / 1024);
}

function openFilesOf(segue: Segue): number {
  return readdirSync(`/proc/${segue.process.pid}/fd`).length;
}

/** What the daemon may take more for what is done to it, in MiB; it is told. */
async function expectBounded(
  segue: Segue,
  what: string,
  most: number,
  attack: () => Promise<void>,
): Promise<void> {
  const before = memoryOf(segue);
  await attack();
  const peak = memoryOf(segue, true);
  console.log(`${what}: ${before} MiB before, at most ${peak} MiB, ${memoryOf(segue)} MiB after`);
  expect(peak - before).toBeLessThan(most);
}

async function expectToServe(segue: Segue): Promise<void> {
  const path = "/api/sessions/served/messages";
  const message = await segue.post<MessageAnswer>(path, { content: "still there?" }, { Prefer: "wait=60" });
  expect(message).toMatchObject({ status: "done", reply: "still there?" });
}

const events = head("GET /api/events HTTP/1.1");

test.skipIf(!isLinux)(
  "readers that stop reading take little memory, and nobody else waits for them",
  async () => {
    const segue = await startSegue();
    await expectBounded(segue, `${crowd} readers that stop reading`, 64 + crowd / 5, async () => {
      await openMany(segue, crowd, events, false);
      await eventually("the readers", () => openFilesOf(segue) > crowd);
      const lines = Array.from({ length: 40 }, (_, n) => JSON.stringify({ content: `message ${n}` })).join(
        "\n",
      );
      const seen = readAll(segue, 40);
      const init = { method: "POST", headers: { "Content-Type": "application/x-ndjson" }, body: lines };
      expect((await segue.request("/api/sessions/crowded/messages", init)).status).toBe(202);
      const ids = await seen;
      expect(ids).toEqual(Array.from(ids, (_, n) => (ids[0] ?? 0) + n));
      await expectToServe(segue);
    });
    await segue.stop();
  },
);

/** Every id of a reader that reads, until so many messages are done. */
async function readAll(segue: Segue, done: number): Promise<number[]> {
  const ids: number[] = [];
  let left = done;
  for await (const { id, type } of segue.events(0)) {
    if (id !== undefined) ids.push(id);
    if (type === "message.done" && --left === 0) break;
  }
  return ids;
}

test.skipIf(!isLinux)(
  "requests of which only a part comes take little memory, and others are answered",
  async () => {
    const segue = await startSegue();
    const post = "POST /api/sessions/held/messages HTTP/1.1";
    await expectBounded(segue, `${2 * crowd} halves of requests`, 200, async () => {
      await openMany(segue, crowd, `${post}\r\nHost: 127.0.0.1\r\nX-Lon`, true);
      const bodies = head(post, ["Content-Type: text/plain", `Content-Length: ${mebibyte}`]);
      const halves = await openMany(segue, crowd, bodies + "a".repeat(16 * 1024), true);
      await expectToServe(segue);
      // 1. So many mebibytes are waited for; who comes then is told so at once.
      const refused = halves.filter(({ received }) => received.includes("too_many_pending"));
      expect(refused.length).toBeGreaterThanOrEqual(crowd - 256);
    });
    await segue.stop();
  },
);

test.skipIf(!isLinux).each<[string, readonly string[]]>([
  ["that says so", [`Content-Length: ${1024 * mebibyte}`]],
  ["in chunks", ["Transfer-Encoding: chunked"]],
])("a body of a gigabyte %s is refused, and not kept", async (_name, headers) => {
  const segue = await startSegue();
  await expectBounded(segue, `a gigabyte ${_name}`, 200, async () => {
    const connection = await RawConnection.open(portOf(segue));
    opened.add(connection);
    const post = "POST /api/sessions/huge/messages HTTP/1.1";
    connection.send(head(post, ["Content-Type: text/plain", ...headers]));
    const piece = Buffer.alloc(8 * mebibyte, "a");
    const frame = headers[0]?.startsWith("Transfer") ? `${piece.length.toString(16)}\r\n` : "";
    for (let sent = 0; sent < 1024 * mebibyte && !connection.isClosed; sent += piece.length) {
      connection.send(frame === "" ? piece : Buffer.concat([Buffer.from(frame), piece, Buffer.from("\r\n")]));
      await connection.sent();
    }
    expect(await connection.until(/too_large/)).toStartWith("HTTP/1.1 413");
  });
  await expectToServe(segue);
  await segue.stop();
});

test.skipIf(Bun.which("prlimit") === null)(
  "where connections use up all files, what is accepted is done, and it goes on when they are gone",
  async () => {
    const segue = await startSegue();
    const known = await RawConnection.open(portOf(segue));
    opened.add(known);
    known.send(head("GET /healthz HTTP/1.1"));
    await known.until(/alive/);
    const limit = openFilesOf(segue) + 20;
    const folder = makeFolder("limit");
    const command = ["prlimit", "--pid", String(segue.process.pid), `--nofile=${limit}:${limit}`];
    expect((await runChild({ command, env: cleanEnv(folder) })).exitCode).toBe(0);
    const many = await openMany(segue, 60, "GET /healthz HT", true);
    await eventually("all files in use", () => openFilesOf(segue) >= limit);
    known.send(
      head("POST /api/sessions/a/messages HTTP/1.1", [
        "Content-Type: text/plain",
        "Prefer: wait=60",
        "Content-Length: 5",
      ]) + "hello",
    );
    await known.until(/"status":"done"/);
    for (const connection of many) connection.close();
    await expectToServe(segue);
    await segue.stop();
  },
);
