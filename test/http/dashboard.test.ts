import { afterEach, expect, test } from "bun:test";
import { startApp, stopApps } from "./daemon-app.ts";

afterEach(stopApps);

const paths = ["/", "/dashboard.js", "/dashboard.css", "/dashboard.svg"];

test("the page and its files may use nothing but this daemon, and stand in no frame", async () => {
  const app = await startApp();
  for (const path of paths) {
    const { status, headers } = await app.ask(path);
    expect(status).toBe(200);
    const policy = headers.get("Content-Security-Policy") ?? "";
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("Referrer-Policy")).toBe("no-referrer");
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
  }
});

test("with a token the page is served without one, and what it asks for is not", async () => {
  const app = await startApp({ server: { token: "let-me-in" } });
  for (const path of paths) expect((await app.ask(path)).status).toBe(200);
  expect((await app.ask("/api/stats")).status).toBe(401);
  expect((await app.ask("/dashboard")).status).toBe(401);
});

test("a file that is known is not sent again", async () => {
  const app = await startApp();
  const first = await app.ask("/dashboard.js");
  const tag = first.headers.get("ETag") ?? "";
  const again = await app.ask("/dashboard.js", { headers: { "If-None-Match": `W/${tag}` } });
  expect([again.status, await again.text()]).toEqual([304, ""]);
  const other = await app.ask("/dashboard.js", { headers: { "If-None-Match": '"another"' } });
  expect(await other.text()).toBe(await first.text());
});

test("the page holds no script, style or handler of its own", async () => {
  const html = await (await (await startApp()).ask("/")).text();
  expect(html).toContain('<script type="module" src="dashboard.js"></script>');
  expect(html).not.toMatch(/<style|style=|\son\w+=|<script[^>]*>[^<]/);
});
