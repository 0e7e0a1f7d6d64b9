import { resolve } from "node:path";
import { restoreCheckpoint } from "../daemon/restore.ts";
import type { CommandContext } from "./command.ts";
import { Progress } from "./progress.ts";

/** `segue restore`: puts the sessions of a checkpoint into the data folder, all or none; no daemon may hold that. */
export async function restore(context: CommandContext, file: string): Promise<number> {
  const { screen, flags, paths, clock } = context;
  const progress = new Progress(context);
  progress.show(`reading ${file}`);
  const restored = await restoreCheckpoint(resolve(file), {
    dataDir: paths.data,
    clock,
    onRead: (sessions) => progress.show(`putting ${sessions} sessions into ${paths.data}`),
  }).finally(() => progress.end());
  const { sessions, pending } = restored;
  screen.answer(
    flags.json
      ? JSON.stringify(restored)
      : `Restored. Sessions: ${sessions}, pending messages: ${pending}; \`segue serve\` goes on with them.`,
  );
  return 0;
}
