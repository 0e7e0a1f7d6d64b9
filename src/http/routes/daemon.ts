import * as v from "valibot";
import { isoTime } from "../../core/clock.ts";
import { SegueError } from "../../core/errors.ts";
import type { Routes } from "../app.ts";
import { readOptionalJson, requireNothing } from "../body.ts";
import { checkpointJson } from "../checkpoint.ts";
import type { Services } from "../services.ts";
import { textStream } from "../text-stream.ts";
import { fields } from "../validate.ts";

/** What a restart takes. */
export const restartFields = fields({ upgrade: v.optional(v.boolean()) });

/** The daemon itself, and whether it is alive and ready (contract section 5). */
export function daemonRoutes(services: Services): Routes {
  return {
    "/api/daemon": {
      GET: () => {
        const { startedAt, lastRestart, ...info } = services.daemon();
        return Response.json({
          ...info,
          startedAt: isoTime(startedAt),
          lastRestart: lastRestart && { ...lastRestart, at: isoTime(lastRestart.at) },
        });
      },
    },
    "/api/daemon/stop": {
      POST: async (request) => {
        await requireNothing(request);
        services.stop();
        return Response.json({ phase: "draining" }, { status: 202 });
      },
    },
    "/api/daemon/restart": {
      POST: async (request) => {
        const { upgrade = false } = (await readOptionalJson(request, restartFields)) ?? {};
        services.restart(upgrade ? "upgrade" : "request");
        return Response.json({ phase: "draining" }, { status: 202 });
      },
    },
    "/api/daemon/checkpoint": {
      POST: async (request) => {
        await requireNothing(request);
        const headers = { "Content-Type": "application/json" };
        return new Response(textStream(checkpointJson(services)), { headers });
      },
    },
    "/healthz": { GET: () => Response.json({ status: "alive" }) },
    "/readyz": {
      GET: () => {
        const { phase } = services.daemon();
        if (phase !== "serving")
          throw new SegueError(phase, `the daemon is ${phase}`, { retryAfterSeconds: 1 });
        const fault = services.store.fault();
        if (fault) throw new SegueError("storage", fault.message, { retryAfterSeconds: 1 });
        return Response.json({ status: "ready" });
      },
    },
  };
}
