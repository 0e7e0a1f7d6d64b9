import { SegueError } from "../../core/errors.ts";
import { preferredType } from "../accept.ts";
import type { Routes } from "../app.ts";
import type { Services } from "../services.ts";
import { textStream } from "../text-stream.ts";
import { transcriptJson, transcriptMarkdown, transcriptOf } from "../transcript.ts";
import { requireId } from "../validate.ts";

/** What was said in a session (contract section 5). */
export function transcriptRoutes({ store }: Services): Routes {
  return {
    "/api/sessions/:id/transcript": {
      GET: async (request, path) => {
        const session = await store.sessions.get(requireId(path["id"] ?? ""));
        if (!session) throw new SegueError("session_not_found", "there is no such session");
        const entries = transcriptOf(store, session);
        const type = preferredType(request, ["text/markdown", "application/json"]);
        const texts =
          type === "application/json"
            ? transcriptJson(session, entries)
            : transcriptMarkdown(session, entries);
        const headers = {
          "Content-Type": type === "application/json" ? type : `${type}; charset=utf-8`,
          Vary: "Accept",
        };
        return new Response(textStream(texts), { headers });
      },
    },
  };
}
