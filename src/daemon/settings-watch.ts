import type { Clock } from "../core/clock.ts";
import { errorText } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { SettingsKeeper } from "../settings/settings.ts";
import { PathWatchers } from "../watch/path-watchers.ts";
import type { SharedWatchers } from "../watch/shared-watchers.ts";

/** The watch on a settings file and on the files it refers to; its hints go to the keeper. */
export function watchSettings(parts: {
  keeper: SettingsKeeper;
  shared: SharedWatchers;
  clock: Clock;
  log: Log;
}): PathWatchers {
  const { keeper, shared, clock, log } = parts;
  return new PathWatchers({
    shared,
    clock,
    pollMs: () => keeper.inForce.settings.reload.pollMs,
    onHint: (kind) => keeper.notice(kind),
    onFault: (thrown, path = "the settings") => log.warn(`watching ${path}: ${errorText(thrown)}`),
  });
}

/** Says of a settings file of claude-mem's what in it means nothing here. */
export function logIgnored(keeper: SettingsKeeper, log: Log): void {
  const { legacy } = keeper.inForce.reading;
  if (legacy && legacy.ignored.length > 0)
    log.info(`the settings are claude-mem's; ignored: ${legacy.ignored.join(", ")}`);
}
