import { SegueError } from "../../core/errors.ts";
import type { RetryRequest, RetryResult } from "../../store/inbox.ts";
import type { Routes } from "../app.ts";
import { representMessage } from "../representation.ts";
import { requireNothing } from "../body.ts";
import type { Services } from "../services.ts";
import { requireId } from "../validate.ts";

/** Failed messages sent again (contract section 5). */
export function retryRoutes(services: Services): Routes {
  const { store } = services;
  return {
    "/api/messages/:id/retry": {
      POST: async (request, path) => {
        await requireNothing(request);
        const failed = await store.messages.get(requireId(path["id"] ?? ""));
        if (!failed) throw notFound();
        if (failed.status !== "failed")
          throw new SegueError(
            "wrong_status",
            `only a failed message is sent again; this is ${failed.status}`,
          );
        const result = await retry(services, { session: failed.session, message: failed.id });
        const id = result.kind === "accepted" ? result.messages[0]?.id : undefined;
        const message = id === undefined ? undefined : await store.messages.get(id);
        if (!message) throw notFound();
        const headers = { Location: `/api/messages/${message.id}` };
        return Response.json(representMessage(message), { status: 202, headers });
      },
    },
    "/api/sessions/:id/retry": {
      POST: async (request, path) => {
        await requireNothing(request);
        const session = requireId(path["id"] ?? "");
        if (!(await store.sessions.get(session)))
          throw new SegueError("session_not_found", "there is no such session");
        const result = await retry(services, { session, message: null });
        const count = result.kind === "accepted" ? result.messages.length : 0;
        return Response.json({ count }, { status: 202 });
      },
    },
  };
}

async function retry(
  { core, ids, settings }: Services,
  which: Pick<RetryRequest, "session" | "message">,
): Promise<Exclude<RetryResult, { kind: "full" }>> {
  const { maxPendingPerSession: maxPending } = settings.inForce().settings.limits;
  const result = await core().registry.retry({ ...which, newId: () => ids.message(), maxPending });
  if (result.kind === "full")
    throw new SegueError("too_many_pending", `this session has ${result.pending} pending messages already`, {
      hint: "limits.maxPendingPerSession sets how many it may have",
      retryAfterSeconds: 5,
    });
  return result;
}

function notFound(): SegueError {
  return new SegueError("message_not_found", "there is no such message");
}
