import { errorText } from "../core/errors.ts";
import { startDaemon, type RunningDaemon } from "../daemon/daemon.ts";
import type { CommandContext } from "./command.ts";
import { readSettingFlags, type SettingFlags } from "./serve-flags.ts";
import { version } from "./version.ts";

/** Flags of `segue serve`. */
export interface ServeFlags extends SettingFlags {
  strict?: boolean;
  log?: "json" | "text";
  tips?: boolean;
}

const exitInterrupted = 130;

/**
 * `segue serve`: runs the daemon until it is stopped, by the API or by SIGTERM or SIGINT, and then answers 0.
 * A second SIGINT gives up waiting: 130. SIGHUP reads the settings now, SIGUSR2
 * restarts the daemon in this process.
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
    flags: readSettingFlags(flags, context.paths.settings, context.env),
    isStrict: flags.strict === true,
    logFormat: flags.log ?? (context.stderr.isTerminal ? "text" : "json"),
    version,
  });
  signals.onReload = () => reload(daemon, context);
  signals.onRestart = () => restart(daemon, context);
  context.screen.answer(`Segue ${version} listening on ${daemon.url}`);
  if (flags.tips) context.screen.answer(...tips(daemon.url));
  await Promise.race([daemon.stopped, signals.asked.then((signal) => daemon.stop(signal))]);
  return 0;
}

function reload(daemon: RunningDaemon, { screen }: CommandContext): void {
  daemon.reload().catch((thrown: unknown) => screen.note(`segue: reloading failed: ${errorText(thrown)}`));
}

function restart(daemon: RunningDaemon, { screen }: CommandContext): void {
  daemon.restart().catch((thrown: unknown) => screen.note(`segue: restarting failed: ${errorText(thrown)}`));
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
  onRestart: () => void = () => {};

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
  readonly #user2 = (): void => this.onRestart();

  start(): void {
    process
      .on("SIGTERM", this.#terminate)
      .on("SIGINT", this.#interrupt)
      .on("SIGHUP", this.#hangUp)
      .on("SIGUSR2", this.#user2);
  }

  stop(): void {
    process
      .off("SIGTERM", this.#terminate)
      .off("SIGINT", this.#interrupt)
      .off("SIGHUP", this.#hangUp)
      .off("SIGUSR2", this.#user2);
  }
}
