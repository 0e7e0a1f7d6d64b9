import { SegueError } from "../core/errors.ts";
import { systemClock } from "../core/clock.ts";
import { openDatabase } from "#platform";
import { copySchema } from "../store/sqlite/schema-copy.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { versionOf } from "../store/sqlite/migrations.ts";
import type { Rehearsal } from "./candidate.ts";
import { startDaemon } from "./daemon.ts";
import type { DaemonOptions } from "./foundation.ts";
import { dataFolder } from "./instance.ts";

/**
 * Shows whether this program can serve in the place of the daemon that does: starts it on `folder`, under the settings
 * of now, with a copy of the store's schema, on a port that it picks, and asks it whether it is ready. Nothing but that
 * folder is written. Throws what a start throws.
 */
export async function rehearse(options: DaemonOptions, folder: string): Promise<Rehearsal> {
  const own = dataFolder(folder).store;
  const from = copySchema({
    from: () => openDatabase(dataFolder(options.dataDir).store, { isReadOnly: true }),
    to: () => openDatabase(own),
  });
  const daemon = await startDaemon({
    ...options,
    dataDir: folder,
    isStrict: true,
    flags: [
      ...options.flags,
      { key: "server.host", value: "127.0.0.1" },
      { key: "server.port", value: 0 },
      { key: "log.level", value: "silent" },
    ],
  });
  try {
    const response = await fetch(`${daemon.url}/readyz`);
    if (!response.ok)
      throw new SegueError("internal", `the new program is not ready: it answers ${response.status}`);
  } finally {
    await daemon.stop("end of the rehearsal");
  }
  const database = openDatabase(own, { isReadOnly: true });
  const to = versionOf(database);
  database.close();
  return { version: options.version, store: { from, to } };
}

/** Migrates the store of a data folder that the daemon which hands it over has closed and keeps locked. */
export async function migrateStore({ dataDir }: DaemonOptions): Promise<void> {
  const store = openSqliteStore({
    open: () => openDatabase(dataFolder(dataDir).store),
    clock: systemClock,
    publish: () => {},
    // The daemon has kept a copy.
    backupPath: () => undefined,
  });
  await store.close();
}
