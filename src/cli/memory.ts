import { resolve } from "node:path";
import * as v from "valibot";
import { pageAnswer } from "./answers.ts";
import { DaemonClient } from "./client.ts";
import type { CommandContext } from "./command.ts";

/** A page of `GET /api/memory`. */
export const memoryPage = pageAnswer(
  v.object({ session: v.string(), at: v.string(), summary: v.string(), message: v.string() }),
);

/** The address of what is remembered of a project. */
export function memoryPath(project: string, limit: number): string {
  return `/api/memory?project=${encodeURIComponent(project)}&limit=${limit}`;
}

/** `segue memory`: the summaries of a project (by default the current folder), newest first. */
export async function showMemory(context: CommandContext, given: string | undefined): Promise<number> {
  const { flags, screen } = context;
  const client = await DaemonClient.of(context);
  const project = resolve(given ?? ".");
  let cursor: string | null = "";
  let count = 0;
  while (cursor !== null) {
    const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await client.get(memoryPath(project, 100) + query, memoryPage);
    // Each page as it came, one a line: together they are what the API returned.
    if (flags.json) screen.answer(page.text);
    else
      for (const { at, session, summary } of page.value.items) {
        if (count > 0) screen.answer("");
        screen.answer(screen.style("dim", `${at}  ${session}`), summary.trimEnd());
        count += 1;
      }
    cursor = page.value.next;
  }
  if (!flags.json && count === 0)
    screen.note(`Nothing is remembered of ${project}. \`segue connect claude-code\` makes an agent tell.`);
  return 0;
}
