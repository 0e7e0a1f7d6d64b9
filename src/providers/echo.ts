import type { Clock } from "../core/clock.ts";
import type { Provider, ProviderConfig, TurnPart, TurnRequest } from "./provider.ts";

/** A long text is given back in stretches, so that other sessions get their turn of the event loop. */
const wordsAtOnce = 1000;

/**
 * The provider that needs nothing: waits `delayMs`, then streams the content back word by word, every white
 * space kept. It reports no usage.
 */
export function createEcho(config: Pick<ProviderConfig, "delayMs">, clock: Clock): Provider {
  return { call: (request) => echo(request, config.delayMs, clock) };
}

async function* echo(request: TurnRequest, delayMs: number, clock: Clock): AsyncGenerator<TurnPart> {
  if (delayMs > 0) await clock.sleep(delayMs, request.signal);
  let words = 0;
  for (const [text] of request.content.matchAll(/\s*\S+|\s+/g)) {
    if (request.signal.aborted) return;
    request.onActivity();
    yield { type: "text", text };
    words += 1;
    if (words % wordsAtOnce === 0) await new Promise<void>((resolve) => clock.defer(resolve));
  }
  if (request.signal.aborted) return;
  request.onActivity();
  yield { type: "end", finish: "stop", usage: null };
}
