import { sha256 } from "#platform/hash";
import type { Routes } from "../app.ts";
import type { PageFiles, Services } from "../services.ts";

/**
 * What the page may do: run and style itself from its own files, and speak to the daemon it came from. Nothing inline,
 * nothing from elsewhere, in no frame (contract section 5, "Access").
 */
const policy = [
  "default-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join("; ");

const files = [
  { path: "/", name: "html", type: "text/html; charset=utf-8" },
  { path: "/dashboard.js", name: "script", type: "text/javascript; charset=utf-8" },
  { path: "/dashboard.css", name: "style", type: "text/css; charset=utf-8" },
  { path: "/dashboard.svg", name: "icon", type: "image/svg+xml" },
] as const satisfies readonly { path: string; name: keyof PageFiles; type: string }[];

/** The paths of the dashboard's files. They hold no data, and are served without a token. */
export const pagePaths: readonly string[] = files.map(({ path }) => path);

/** The dashboard (contract section 5): one page and its files, the same for everybody. */
export function dashboardRoutes({ page }: Services): Routes {
  return Object.fromEntries(
    files.map(({ path, name, type }) => [
      path,
      { GET: async (request: Request) => answer(request, (await page())[name], type) },
    ]),
  );
}

/** Asked for again each time, and sent again only where it is another: a new program never meets an old page. */
function answer(request: Request, text: string, type: string): Response {
  const tag = `"${sha256(text, "base64url").slice(0, 22)}"`;
  const headers = {
    ETag: tag,
    "Cache-Control": "no-cache",
    "Content-Security-Policy": policy,
    "Referrer-Policy": "no-referrer",
  };
  const known = request.headers.get("If-None-Match")?.split(",") ?? [];
  if (known.some((given) => given.trim().replace(/^W\//, "") === tag))
    return new Response(null, { status: 304, headers });
  return new Response(text, { headers: { ...headers, "Content-Type": type } });
}
