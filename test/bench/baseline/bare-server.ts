import { Hono } from "hono";

/** The least that answers HTTP with Hono: `bare-server PORT`. */
const app = new Hono();
app.get("/readyz", (context) => context.json({ status: "ready" }));

const server = Bun.serve({ hostname: "127.0.0.1", port: Number(process.argv[2]), fetch: app.fetch });
console.log(`listening on http://127.0.0.1:${server.port}`);
