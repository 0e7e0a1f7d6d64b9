import { createHash } from "node:crypto";
import { readFileSync, watch } from "node:fs";
import { basename, dirname } from "node:path";

/**
 * The least that notices an edit: the system's event, the file read and hashed, and the readers of an event stream
 * told where the hash is another: `bare-watch PORT FILE`.
 */
const [, , port = "0", file = ""] = process.argv;
const readers = new Set<ReadableStreamDefaultController<string>>();
const hashNow = (): string => createHash("sha256").update(readFileSync(file)).digest("hex");
let hash = hashNow();

watch(dirname(file), (_event, name) => {
  if (name !== basename(file)) return;
  const next = hashNow();
  if (next === hash) return;
  hash = next;
  for (const reader of readers) reader.enqueue(`event: changed\ndata: ${hash}\n\n`);
});

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  idleTimeout: 0,
  fetch: () => {
    const stream = new ReadableStream<string>({
      start: (reader) => {
        readers.add(reader);
        reader.enqueue("retry: 1000\n\n");
      },
    });
    return new Response(stream, { headers: { "Content-Type": "text/event-stream" } });
  },
});
console.log(`listening on http://127.0.0.1:${server.port}`);
