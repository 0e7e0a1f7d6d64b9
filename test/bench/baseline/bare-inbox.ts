import { Hono } from "hono";
import * as v from "valibot";

/**
 * The route that takes a message, with the same judgements and an answer of the same fields, without keeping
 * anything: `bare-inbox PORT`.
 */
const idPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const longestMessageBytes = 1024 * 1024;
const contentSchema = v.strictObject({
  content: v.pipe(
    v.string(),
    v.nonEmpty(),
    v.check((text) => text.isWellFormed()),
  ),
});

let count = 0;
const app = new Hono();
app.post("/api/sessions/:id/messages", async (context) => {
  const session = context.req.param("id");
  if (!idPattern.test(session)) return context.json({ code: "malformed" }, 400);
  const result = v.safeParse(contentSchema, await context.req.json());
  if (!result.success) return context.json({ code: "invalid" }, 422);
  const { content } = result.output;
  if (Buffer.byteLength(content) > longestMessageBytes) return context.json({ code: "too_large" }, 413);
  count += 1;
  return context.json(answer(session, content), 202, { Location: `/api/messages/msg_${count}` });
});

function answer(session: string, content: string): object {
  return {
    id: `msg_${crypto.randomUUID()}`,
    session,
    seq: count,
    content,
    status: "pending",
    attempts: 0,
    reply: null,
    finish: null,
    error: null,
    provider: null,
    model: null,
    revision: null,
    fallbackFrom: null,
    usage: null,
    repliedBy: null,
    retryOf: null,
    createdAt: new Date().toISOString(),
    startedAt: null,
    finishedAt: null,
  };
}

const server = Bun.serve({ hostname: "127.0.0.1", port: Number(process.argv[2]), fetch: app.fetch });
console.log(`listening on http://127.0.0.1:${server.port}`);
