import { afterEach, expect, test } from "bun:test";
import { openApiDocument } from "../../src/http/openapi/document.ts";
import { startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

const document: { paths: Record<string, Record<string, object>> } = JSON.parse(
  JSON.stringify(openApiDocument("1.2.3")),
);
const paths = Object.entries(document.paths).flatMap(([path, methods]) => ("get" in methods ? [path] : []));

test.each(paths)(
  "HEAD %s is answered as GET is, without a body, and leaves nothing at work",
  async (path) => {
    const app = await startApp();
    const { id: message } = await app.done("a", "hello");
    const target = path.replace("{id}", path.startsWith("/api/messages/") ? message : "a");
    const head = await app.ask(target, { method: "HEAD" });
    const get = await app.ask(target);
    expect([
      head.status,
      head.headers.get("Content-Type"),
      head.headers.get("X-Content-Type-Options"),
    ]).toEqual([200, get.headers.get("Content-Type"), "nosniff"]);
    expect(await head.text()).toBe("");
    expect(app.services.streams.subscribedSessions().size).toBe(0);
    await get.body?.cancel();
  },
);
