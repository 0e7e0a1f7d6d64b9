import { resolve } from "node:path";
import { restoreCheckpoint } from "../daemon/restore.ts";
import type { CommandContext } from "./command.ts";

/** `segue restore`: puts the sessions of a checkpoint into the data folder, all or none; no daemon may hold that. */
export async function restore(context: CommandContext, file: string): Promise<number> {
  const { screen, flags, paths, clock } = context;
  const restored = await restoreCheckpoint(resolve(file), { dataDir: paths.data, clock });
  const { sessions, pending } = restored;
  screen.answer(
    flags.json
      ? JSON.stringify(restored)
      : `Restored. Sessions: ${sessions}, pending messages: ${pending}; \`segue serve\` goes on with them.`,
  );
  return 0;
}
