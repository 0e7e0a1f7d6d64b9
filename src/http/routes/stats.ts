import { isoTime } from "../../core/clock.ts";
import { activityStepMs } from "../activity.ts";
import type { Routes } from "../app.ts";
import type { Services } from "../services.ts";

/** Figures of now (contract section 5). */
export function statsRoutes(services: Services): Routes {
  return {
    "/api/stats": { GET: async () => Response.json(await stats(services)) },
    "/api/stats/activity": {
      GET: () => {
        const items = services.activity.steps.map(({ at, ...step }) => ({ at: isoTime(at), ...step }));
        return Response.json({ stepMs: activityStepMs, items });
      },
    },
    "/metrics": {
      GET: async () => {
        const text = await services.metrics.scrape(services);
        return new Response(text, { headers: { "Content-Type": services.metrics.contentType } });
      },
    },
  };
}

async function stats(services: Services) {
  const { store, clock, daemon } = services;
  const { registry } = services.core();
  const now = clock.now();
  const totals = await store.totals();
  let busySessions = 0;
  for (const session of registry.loaded()) if (session.state.kind === "busy") busySessions += 1;
  return {
    activeSessions: registry.size,
    busySessions,
    pendingMessages: totals.pending,
    oldestPendingMs: totals.oldestPendingAt === null ? null : Math.max(0, now - totals.oldestPendingAt),
    lastTurnAt: totals.lastTurnAt === null ? null : isoTime(totals.lastTurnAt),
    turns: totals.turns,
    tokensToday: await store.tokensOnDayOf(now),
    providers: providerStats(services),
    uptimeMs: now - daemon().startedAt,
    rssBytes: process.memoryUsage.rss(),
  };
}

function providerStats({ core, settings }: Services) {
  const { gate } = core();
  const parks = gate.parks();
  const names = Object.keys(settings.inForce().settings.providers);
  return Object.fromEntries(
    names.map((name) => {
      const own = parks.filter((park) => park.provider === name);
      const shown = own.map(({ endpoint, model, reason, since, until, sessions }) => ({
        endpoint,
        model,
        reason,
        since: isoTime(since),
        until: isoTime(until),
        sessions,
      }));
      const state = own.length > 0 ? "parked" : "ready";
      return [name, { state, inFlight: gate.inFlight(name), parks: shown }];
    }),
  );
}
