import type { Clock } from "../core/clock.ts";
import { systemClock } from "../core/clock.ts";
import { type Files, systemFiles } from "../core/files.ts";
import { type Ids, type Random, createIds, systemRandom } from "../core/ids.ts";
import { listen, openDatabase } from "#platform";
import { exchangeFiles } from "../platform/exchange.ts";
import type { Database } from "../platform/platform.ts";
import { type ProviderDeps, createProviders } from "../providers/create.ts";
import type { Provider, ProviderConfig } from "../providers/provider.ts";
import type { SessionSurroundings } from "../sessions/surroundings.ts";
import type { ExchangeFiles } from "../settings/replace-file.ts";
import { type WatchFolder, watchFolder } from "../watch/folder-watch.ts";
import type { Listen } from "./listeners.ts";
import { holderOfPort } from "./port-holder.ts";

/**
 * Time, chance and the outside, handed in: whatever of a daemon's surroundings it can notice or change. With another
 * one the whole daemon lives in another world.
 */
export interface Outside {
  clock: Clock;
  random: Random;
  ids: Ids;
  env: Readonly<Record<string, string | undefined>>;
  files: Files;
  exchange: ExchangeFiles;
  watchFolder: WatchFolder;
  openDatabase: (path: string) => Database;
  listen: Listen;
  /** Which process listens on a port; undefined where it cannot be told. */
  holderOfPort: (port: number) => Promise<string | undefined>;
  createProvider: (config: ProviderConfig, deps: ProviderDeps) => Promise<Provider>;
  /** Gets whole lines of the log, secrets taken out. */
  writeLog: (line: string) => void;
  /** See `SessionSurroundings.onStep`. */
  onSessionStep?: SessionSurroundings["onStep"];
}

/** The machine that the process runs on. */
export function systemOutside(): Outside {
  return {
    clock: systemClock,
    random: systemRandom,
    ids: createIds(() => systemClock.now()),
    env: process.env,
    files: systemFiles,
    exchange: exchangeFiles,
    watchFolder,
    openDatabase,
    listen,
    holderOfPort,
    createProvider: createProviders(),
    writeLog: (line) => void process.stderr.write(line),
  };
}
