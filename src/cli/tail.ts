import * as v from "valibot";
import { SegueError } from "../core/errors.ts";
import { DaemonClient, type StreamedEvent } from "./client.ts";
import type { CommandContext } from "./command.ts";
import type { Screen } from "./screen.ts";

/** The wait before the stream is asked for again, as its own first line says (contract section 6). */
const reconnectMs = 1000;

/**
 * `segue tail`: prints events as they come until it is interrupted or nobody reads any more, and goes on where
 * it was when the daemon restarts. For people without the pieces of replies; with `--json` all of them, a JSON
 * object `{id?, event, data}` a line.
 */
export async function tail(context: CommandContext, session: string | undefined): Promise<number> {
  const { screen, flags, clock } = context;
  const client = await DaemonClient.of(context);
  const path = session === undefined ? "/api/events" : `/api/events?session=${encodeURIComponent(session)}`;
  let after: string | undefined;
  let hasConnected = false;
  while (!screen.gone.aborted) {
    try {
      const options = { signal: screen.gone, onOpen: () => void (hasConnected = true) };
      for await (const event of client.events(path, after === undefined ? options : { ...options, after })) {
        after = event.id ?? after;
        if (flags.json) screen.answer(jsonLine(event));
        else if (event.type !== "message.delta") screen.answer(personLine(event, screen));
      }
    } catch (thrown) {
      if (!hasConnected || !(thrown instanceof SegueError) || thrown.code !== "not_reachable") throw thrown;
    }
    await clock.sleep(reconnectMs, screen.gone);
  }
  return 0;
}

function jsonLine(event: StreamedEvent): string {
  const id = event.id === undefined ? {} : { id: Number(event.id) };
  return JSON.stringify({ ...id, event: event.type, data: dataOf(event) });
}

const eventData = v.looseObject({ at: v.optional(v.string()), session: v.optional(v.nullable(v.string())) });

function dataOf(event: StreamedEvent): v.InferOutput<typeof eventData> {
  const checked = v.safeParse(v.pipe(v.string(), v.parseJson(), eventData), event.data);
  return checked.success ? checked.output : {};
}

/** `12:00:00Z message.done kitchen seq=3 …`: time, type, session, then what else the event says. */
function personLine(event: StreamedEvent, screen: Screen): string {
  const { at, session, ...rest } = dataOf(event);
  const time = at === undefined ? "--:--:--" : at.slice(11, 19);
  const facts = Object.entries(rest).map(([name, value]) => `${name}=${factText(value)}`);
  return [screen.style("dim", `${time}Z`), screen.style("bold", event.type), session ?? "", ...facts]
    .join(" ")
    .trimEnd();
}

function factText(value: unknown): string {
  return typeof value === "string" && /^[\w.:/-]+$/.test(value) ? value : JSON.stringify(value);
}
