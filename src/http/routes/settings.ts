import { isoTime } from "../../core/clock.ts";
import { SegueError } from "../../core/errors.ts";
import type { Routes } from "../app.ts";
import type { Services } from "../services.ts";

/** The settings in force (contract section 5). */
export function settingsRoutes(services: Services): Routes {
  const { settings } = services;
  return {
    "/api/settings": {
      GET: () => {
        const { revision, reading } = settings.inForce();
        const { settingsPath: path } = services.daemon();
        const body = { revision, path, settings: reading.shown, sources: reading.sources };
        return Response.json(body, { headers: { ETag: `"${revision}"` } });
      },
    },
    "/api/settings/status": { GET: () => Response.json(status(services)) },
    "/api/settings/reload": {
      POST: async () => {
        await settings.look();
        const problems = settings.problems();
        if (problems.length > 0)
          throw new SegueError(
            "settings_invalid",
            "the settings file is not valid; the last good one stays in force",
            {
              problems,
            },
          );
        return Response.json(status(services));
      },
    },
    "/api/settings/release": {
      POST: () => {
        const { guard, gate } = services.core();
        guard.releaseAll();
        gate.releaseParks();
        return Response.json(status(services));
      },
    },
  };
}

function status({ settings, core, daemon }: Services) {
  const { registry, guard } = core();
  const { revision, appliedAt, hash, modifiedAt } = settings.inForce();
  return {
    path: daemon().settingsPath,
    revision,
    hash,
    lastModified: modifiedAt === null ? null : isoTime(modifiedAt),
    appliedAt: isoTime(appliedAt),
    mode: settings.inForce().settings.reload.mode,
    watching: settings.watching(),
    problems: settings.problems(),
    waiting: null,
    notInForce: settings.notInForce(),
    pendingRestarts: [...registry.loaded()].flatMap((session) => {
      const pending = session.pendingRestart;
      if (!pending) return [];
      const { reason, requestedAt, blockedBy } = pending;
      return [{ session: session.id, reason, waitingSince: isoTime(requestedAt), blockedBy }];
    }),
    rollout: registry.rollout,
    held: [...guard.holds()].map(({ identity, provider, model, endpoint, reason, since }) => ({
      provider,
      model,
      endpoint,
      reason,
      since: isoTime(since),
      ...registry.countWanting(identity),
    })),
  };
}
