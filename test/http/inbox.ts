import type { ShownMessage } from "./asking.ts";
import type { DaemonApp } from "./daemon-app.ts";

/** The inbox that is posted to. */
export const inbox = "/api/sessions/a/messages";

/** Posts messages, a line each. */
export function postLines(
  app: DaemonApp,
  lines: readonly string[],
  headers: Record<string, string> = {},
): Promise<Response> {
  const body = lines.join("\n");
  return app.ask(inbox, { body, headers: { "Content-Type": "application/x-ndjson", ...headers } });
}

/** What the inbox holds, by `seq`. */
export async function contents(app: DaemonApp): Promise<string[]> {
  const response = await app.ask(inbox);
  if (response.status === 404) return [];
  const { items }: { items: ShownMessage[] } = await response.json();
  return items.map(({ content }) => content);
}
