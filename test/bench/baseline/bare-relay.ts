import { Database } from "bun:sqlite";

/**
 * The least between a post and a call that is made for it: the body is read, one turn of the event loop passes, one row
 * is committed as Segue's default has it, and the provider is called: `bare-relay PORT FILE URL`. It answers how many
 * milliseconds the call took.
 */
const [, , port = "0", file = "", url = ""] = process.argv;
const database = new Database(file, { create: true, strict: true });
database.run("PRAGMA journal_mode = WAL");
database.run("PRAGMA synchronous = FULL");
database.run("CREATE TABLE messages (n INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT");
const insert = database.prepare("INSERT INTO messages (content) VALUES (?)");

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  fetch: async (request) => {
    const { content }: { content: string } = await request.json();
    await new Promise((resolve) => setImmediate(resolve));
    insert.run(content);
    const body = JSON.stringify({ model: "fake", stream: true, messages: [{ role: "user", content }] });
    const headers = { "Content-Type": "application/json" };
    const calledAt = performance.now();
    const answer = await fetch(`${url}/chat/completions`, { method: "POST", headers, body });
    await answer.text();
    return Response.json({ callMs: performance.now() - calledAt });
  },
});
console.log(`listening on http://127.0.0.1:${server.port}`);
