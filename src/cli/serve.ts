import { errorText, SegueError } from "../core/errors.ts";
import { startDaemon, type RunningDaemon } from "../daemon/daemon.ts";
import type { CommandContext } from "./command.ts";
import { version } from "./version.ts";

/** Flags of `segue serve`. */
export interface ServeFlags {
  set: readonly string[];
  host?: string;
  port?: number;
  strict?: boolean;
  log?: "json" | "text";
  tips?: boolean;
}

/** A setting given on the command line; it beats the file. */
interface Flag {
  key: string;
  value: unknown;
}

const exitInterrupted = 130;

/**
 * `segue serve`: runs the daemon until it is stopped, by the API or by SIGTERM or SIGINT, and then answers 0.
 * A second SIGINT gives up waiting: 130. SIGHUP reads the settings now.
 */
export async function serve(context: CommandContext, flags: ServeFlags): Promise<number> {
  const signals = new Signals();
  signals.start();
  try {
    return await Promise.race([runUntilStopped(context, flags, signals), signals.interrupted]);
  } finally {
    signals.stop();
  }
}

async function runUntilStopped(
  context: CommandContext,
  flags: ServeFlags,
  signals: Signals,
): Promise<number> {
  const daemon = await startDaemon({
    settingsPath: context.paths.settings,
    dataDir: context.paths.data,
    flags: flagsOf(flags),
    isStrict: flags.strict === true,
    logFormat: flags.log ?? (context.stderr.isTerminal ? "text" : "json"),
    version,
  });
  signals.onReload = () => reload(daemon, context);
  context.screen.answer(`Segue ${version} listening on ${daemon.url}`);
  if (flags.tips) context.screen.answer(...tips(daemon.url));
  await Promise.race([daemon.stopped, signals.asked.then((signal) => daemon.stop(signal))]);
  return 0;
}

function reload(daemon: RunningDaemon, { screen }: CommandContext): void {
  daemon.reload().catch((thrown: unknown) => screen.note(`segue: reloading failed: ${errorText(thrown)}`));
}

/** The flags as settings, in the order in which later ones win. */
function flagsOf(flags: ServeFlags): Flag[] {
  return [
    ...flags.set.map(parseSet),
    ...(flags.host === undefined ? [] : [{ key: "server.host", value: flags.host }]),
    ...(flags.port === undefined ? [] : [{ key: "server.port", value: flags.port }]),
  ];
}

/** `KEY=VALUE`: VALUE is JSON where it parses, else a string. The text itself is never shown: it may hold a secret. */
function parseSet(text: string): Flag {
  const at = text.indexOf("=");
  if (at < 1) throw new SegueError("usage", "--set needs KEY=VALUE, as in --set log.level=debug.");
  return { key: text.slice(0, at).trim(), value: jsonOrText(text.slice(at + 1)) };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function tips(url: string): string[] {
  const inbox = `${url}/api/sessions/hello/messages`;
  return [
    "",
    "Send a message:",
    `  curl ${inbox} -H 'Content-Type: text/plain' -d 'Hello, Segue'`,
    "Send one and wait for its reply:",
    `  curl ${inbox} -H 'Content-Type: text/plain' -H 'Prefer: wait=30' -d 'Are you there?'`,
    "Watch everything that happens:",
    `  curl -N '${url}/api/events?after=0'`,
    "",
  ];
}

/** The signals of a daemon in the foreground. Those that come while it starts count once it has started. */
class Signals {
  readonly #asked = Promise.withResolvers<string>();
  readonly #interrupted = Promise.withResolvers<number>();
  #interrupts = 0;
  onReload: () => void = () => {};

  /** Resolves with the first signal that asks to stop. */
  get asked(): Promise<string> {
    return this.#asked.promise;
  }

  /** Resolves with the exit code at the second SIGINT. */
  get interrupted(): Promise<number> {
    return this.#interrupted.promise;
  }

  readonly #terminate = (): void => this.#asked.resolve("SIGTERM");
  readonly #interrupt = (): void => {
    this.#interrupts += 1;
    if (this.#interrupts > 1) this.#interrupted.resolve(exitInterrupted);
    else this.#asked.resolve("SIGINT");
  };
  readonly #hangUp = (): void => this.onReload();

  start(): void {
    process.on("SIGTERM", this.#terminate).on("SIGINT", this.#interrupt).on("SIGHUP", this.#hangUp);
  }

  stop(): void {
    process.off("SIGTERM", this.#terminate).off("SIGINT", this.#interrupt).off("SIGHUP", this.#hangUp);
  }
}
