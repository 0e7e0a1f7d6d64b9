import type { Services } from "../http/services.ts";
import { loadPage } from "#platform";
import type { Audience } from "./audience.ts";
import type { Core } from "./core.ts";
import type { Foundation } from "./foundation.ts";
import type { KeptSettings } from "./kept-settings.ts";
import type { Outside } from "./outside.ts";
import type { Presence } from "./presence.ts";
import type { Restarts } from "./restart.ts";

/** The parts of a daemon that its interface gives access to. */
export interface ServiceParts {
  foundation: Foundation;
  outside: Outside;
  audience: Audience;
  settings: KeptSettings;
  presence: Presence;
  restarts: () => Restarts;
  /** What takes the turns now. */
  core: () => Core;
  stop: () => Promise<void>;
}

/** What the routes get of the daemon. */
export function servicesOf(parts: ServiceParts): Services {
  const { foundation, outside, audience, settings, presence, restarts, core, stop } = parts;
  const { store, onFault } = foundation;
  const { clock, ids } = outside;
  const { streams, ends, metrics, activity } = audience;
  const { keeper } = settings;
  return {
    clock,
    ids,
    store,
    onFault,
    core,
    streams,
    ends,
    metrics,
    activity,
    daemon: () => presence.info(),
    page: loadPage,
    settings: {
      inForce: () => keeper.inForce,
      problems: () => keeper.problems,
      watching: () => settings.watching,
      shownFile: () => keeper.shownFile(),
      notInForce: () => restarts().notInForce(),
      look: () => keeper.look("file"),
      waiting: () => keeper.waiting,
      apply: () => keeper.apply(),
      edit: (edit, options) => keeper.edit(edit, options),
    },
    stop: () => {
      stop().catch(onFault);
    },
    restart: (cause) => {
      restarts().ask(cause).catch(onFault);
    },
  };
}
