import type { Routes } from "../app.ts";
import { openApiDocument } from "../openapi/document.ts";
import type { Services } from "../services.ts";

/** What this interface is, for machines (contract section 5). It holds no data. */
export function openApiRoutes({ daemon }: Services): Routes {
  let text: string | undefined;
  return {
    "/openapi.json": {
      GET: () => {
        text ??= JSON.stringify(openApiDocument(daemon().version));
        return new Response(text, { headers: { "Content-Type": "application/json" } });
      },
    },
  };
}
