import { errorText } from "../core/errors.ts";
import { startDaemon, type DaemonOptions, type RunningDaemon } from "../daemon/daemon.ts";
import { takeHandover } from "../daemon/handover.ts";
import { releaseSignals } from "../platform/process-image.ts";
import { ownProgram } from "./own-program.ts";
import type { CommandContext } from "./command.ts";
import { readSettingFlags, type SettingFlags } from "./serve-flags.ts";
import { StopSignals } from "./stop-signals.ts";
import { version } from "./version.ts";

/** Flags of `segue serve`. */
export interface ServeFlags extends SettingFlags {
  strict?: boolean;
  log?: "json" | "text";
  tips?: boolean;
  /** Set by `segue dev` for its child. */
  underDev?: boolean;
  /** Set for the program that a daemon is to be upgraded to: a folder for its rehearsal, or the real migration. */
  rehearse?: string;
  migrate?: boolean;
}

const orphanLimitMs = 10_000;

/**
 * `segue serve`: runs the daemon until it is stopped, by the API or by SIGTERM or SIGINT, and then answers 0.
 * A second SIGINT gives up waiting: 130. SIGHUP reads the settings now, SIGUSR2
 * restarts the daemon in this process.
 */
export async function serve(context: CommandContext, flags: ServeFlags): Promise<number> {
  if (flags.migrate || flags.rehearse !== undefined) return standIn(context, flags);
  const signals = new Signals();
  signals.start();
  const orphaned = parentGone(context, flags);
  const asked = Promise.race([signals.asked, orphaned.then(() => "end of segue dev")]);
  try {
    return await Promise.race([
      runUntilStopped(context, flags, signals, asked),
      signals.interrupted,
      // An orphan ends, whatever it waits for.
      orphaned.then(() => context.clock.sleep(orphanLimitMs)).then(() => 1),
    ]);
  } finally {
    signals.stop();
  }
}

async function runUntilStopped(
  context: CommandContext,
  flags: ServeFlags,
  signals: Signals,
  asked: Promise<string>,
): Promise<number> {
  const handover = takeHandover(context.paths.data, context.env);
  if (handover) releaseSignals();
  const { source, isReplaceable, ...own } = ownProgram();
  const executable = handover?.executable ?? own.executable;
  const daemon = await startDaemon({
    ...optionsOf(context, flags),
    ...(isReplaceable ? { program: { executable, source, args: process.argv.slice(2) } } : {}),
    ...(handover ? { handover } : {}),
  });
  signals.onReload = () => reload(daemon, context);
  signals.onRestart = () => restart(daemon, context);
  context.screen.answer(`Segue ${version} listening on ${daemon.url}`);
  if (flags.tips) context.screen.answer(...tips(daemon.url));
  // Under `segue dev` a stop is the first half of a restart.
  const putBackFor = flags.underDev ? "daemon_restart" : "drain";
  await Promise.race([daemon.stopped, asked.then((reason) => daemon.stop(reason, putBackFor))]);
  return 0;
}

function optionsOf(context: CommandContext, flags: ServeFlags): DaemonOptions {
  const { paths, env, stderr } = context;
  return {
    settingsPath: paths.settings,
    dataDir: paths.data,
    flags: readSettingFlags(flags, paths.settings, env),
    isStrict: flags.strict === true,
    logFormat: flags.log ?? (stderr.isTerminal ? "text" : "json"),
    version,
  };
}

/** Before it takes a daemon's place this program shows that it can serve, and then migrates the store. */
async function standIn(context: CommandContext, flags: ServeFlags): Promise<number> {
  const { rehearse, migrateStore } = await import("../daemon/rehearsal.ts");
  const options = optionsOf(context, flags);
  if (flags.migrate) await migrateStore(options);
  else context.screen.answer(JSON.stringify(await rehearse(options, flags.rehearse ?? "")));
  return 0;
}

/** Never for a daemon of its own; a child of `segue dev` has a pipe there that closes with it, however it ends. */
function parentGone({ stdin }: CommandContext, { underDev }: ServeFlags): Promise<void> {
  return new Promise((resolve) => {
    if (underDev)
      stdin()
        .once("end", resolve)
        .once("close", resolve)
        .once("error", () => resolve())
        .resume();
  });
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

/** The signals of a daemon in the foreground: those that stop it, and two more that do nothing before they are set. */
class Signals extends StopSignals {
  onReload: () => void = () => {};
  onRestart: () => void = () => {};

  readonly #hangUp = (): void => this.onReload();
  readonly #user2 = (): void => this.onRestart();

  override start(): void {
    super.start();
    process.on("SIGHUP", this.#hangUp).on("SIGUSR2", this.#user2);
  }

  override stop(): void {
    super.stop();
    process.off("SIGHUP", this.#hangUp).off("SIGUSR2", this.#user2);
  }
}
