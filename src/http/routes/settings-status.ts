import { isoTime } from "../../core/clock.ts";
import { SegueError } from "../../core/errors.ts";
import type { Routes } from "../app.ts";
import { requireNothing } from "../body.ts";
import type { Services } from "../services.ts";

/** Where the settings stand, and what moves them on (contract section 5). */
export function settingsStatusRoutes(services: Services): Routes {
  const { settings } = services;
  const answer = (): Response => Response.json(status(services));
  return {
    "/api/settings/status": { GET: answer },
    "/api/settings/reload": {
      POST: async (request) => {
        await requireNothing(request);
        await settings.look();
        requireGood(services);
        return answer();
      },
    },
    "/api/settings/apply": {
      POST: async (request) => {
        await requireNothing(request);
        await settings.apply();
        return answer();
      },
    },
    "/api/settings/release": {
      POST: async (request) => {
        await requireNothing(request);
        const { guard, gate } = services.core();
        guard.releaseAll();
        gate.releaseParks();
        return answer();
      },
    },
  };
}

function requireGood({ settings }: Services): void {
  const problems = settings.problems();
  if (problems.length === 0) return;
  const message = "the settings file is not valid; the last good one stays in force";
  throw new SegueError("settings_invalid", message, { problems });
}

function status({ settings, core, daemon }: Services) {
  const { registry, guard } = core();
  const { revision, appliedAt, hash, modifiedAt, settings: effective, reading } = settings.inForce();
  return {
    path: daemon().settingsPath,
    revision,
    hash,
    lastModified: modifiedAt === null ? null : isoTime(modifiedAt),
    appliedAt: isoTime(appliedAt),
    mode: effective.reload.mode,
    watching: settings.watching(),
    problems: settings.problems(),
    // Of a file of claude-mem's: its keys that mean nothing here.
    ...(reading.legacy && { ignored: reading.legacy.ignored }),
    waiting: settings.waiting(),
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
