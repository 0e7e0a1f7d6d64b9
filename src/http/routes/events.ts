import * as v from "valibot";
import { SegueError } from "../../core/errors.ts";
import type { Routes } from "../app.ts";
import type { Services } from "../services.ts";
import { readQuery, requireId, wholeNumber } from "../validate.ts";

/** Which events are sent. */
export const eventsQuery = v.strictObject({
  session: v.optional(v.string()),
  type: v.optional(
    v.pipe(
      v.string(),
      v.regex(
        /^[a-z_]+\.(\*|[a-z_]+)(,[a-z_]+\.(\*|[a-z_]+))*$/,
        "has to be types like message.done, or message.*",
      ),
    ),
  ),
  after: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
});

/** Server-sent events (contract section 6; WHATWG HTML, "Server-sent events"). */
export function eventRoutes({ streams }: Services): Routes {
  return {
    "/api/events": {
      GET: (request) => {
        const { session, type, after } = readQuery(request, eventsQuery);
        const from = lastEventId(request) ?? after ?? null;
        const filter = {
          session: session === undefined ? undefined : requireId(session),
          types: type?.split(",") ?? [],
        };
        // HEAD comes here too: nobody would read the stream, and nobody would close it.
        return new Response(request.method === "HEAD" ? null : streams.open(from, filter), {
          headers: { "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store" },
        });
      },
    },
  };
}

/** What a reader that comes back has seen last; it beats `after`, which stays in the address it was given. */
function lastEventId(request: Request): number | undefined {
  const given = request.headers.get("Last-Event-ID");
  if (given === null || given === "") return undefined;
  if (!/^\d{1,15}$/.test(given))
    throw new SegueError("malformed", "Last-Event-ID has to be the id of an event");
  return Number(given);
}
