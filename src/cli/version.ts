import packageFile from "../../package.json" with { type: "json" };
import type { CommandContext } from "./command.ts";

declare const SEGUE_VERSION: string | undefined;
declare const SEGUE_COMMIT: string | undefined;

/** The version of this program: what the build defined as SEGUE_VERSION, else package.json's. */
export const version: string = typeof SEGUE_VERSION === "string" ? SEGUE_VERSION : packageFile.version;

/** What the build defined as SEGUE_COMMIT: an id, with `-dirty` where more than it was built. */
const commit = typeof SEGUE_COMMIT === "string" ? SEGUE_COMMIT : "unknown";

/** `segue version`: the version alone on a line, with --json `{version, commit, runtime}`. */
export async function printVersion({ screen, flags }: CommandContext): Promise<number> {
  const { bun, deno, node } = process.versions;
  const runtime = bun ? `bun ${bun}` : deno ? `deno ${deno}` : `node ${node}`;
  screen.answer(flags.json ? JSON.stringify({ version, commit, runtime }) : version);
  return 0;
}
