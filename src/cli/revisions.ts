import { editAnswer, pageAnswer, revisionAnswer, type RevisionAnswer } from "./answers.ts";
import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { planLines } from "./plan.ts";
import { tableLines } from "./screen.ts";

const headings = ["REVISION", "AT", "SOURCE", "CHANGED"];

/** `segue history`: the accepted states of the settings, newest first. */
export async function history(context: CommandContext): Promise<number> {
  const { screen, flags } = context;
  const client = await DaemonClient.of(context);
  const { text, value } = await client.get("/api/settings/history", pageAnswer(revisionAnswer));
  screen.answer(...(flags.json ? [text] : tableLines(screen, headings, value.items.map(rowOf))));
  return 0;
}

function rowOf({ revision, at, source, changedKeys }: RevisionAnswer): string[] {
  return [String(revision), at, source, changedKeys.join(" ") || "-"];
}

/** `segue rollback`: brings the text of an earlier revision back; secrets stay as the file has them now. */
export async function rollBack(context: CommandContext, revision: number): Promise<number> {
  const { screen, flags } = context;
  const client = await DaemonClient.of(context);
  const { text, value } = await client.post("/api/settings/rollback", editAnswer, { body: { revision } });
  screen.answer(...(flags.json ? [text] : planLines(value.plan)));
  if (flags.json) return 0;
  if (value.kept?.length) screen.note(`As the file had them: ${value.kept.join(", ")}`);
  screen.note(`Revision ${value.revision} is in force.`);
  return 0;
}
