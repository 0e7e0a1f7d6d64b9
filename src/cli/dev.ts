import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { SegueError } from "../core/errors.ts";
import { systemRandom } from "../core/ids.ts";
import { Dev } from "../daemon/dev.ts";
import { ownProgram } from "./own-program.ts";
import type { CommandContext } from "./command.ts";
import { ChildRun } from "./dev-run.ts";
import { readSettingFlags, type SettingFlags } from "./serve-flags.ts";
import { exitInterrupted, StopSignals } from "./stop-signals.ts";

/** Flags of `segue dev`. */
export interface DevFlags extends SettingFlags {
  /** Files and folders that are watched too. */
  watch: readonly string[];
  log?: "json" | "text";
}

/**
 * `segue dev`: runs this program's own `serve` as a child and starts it again whenever the program changes, on a data
 * folder of its own. 0 when it is asked to stop, 130 at the second SIGINT, 3 where another daemon holds the folder.
 */
export async function dev(context: CommandContext, flags: DevFlags): Promise<number> {
  const { screen, clock, paths, env } = context;
  readSettingFlags(flags, paths.settings, env);
  const data = context.flags.data === undefined ? join(paths.data, "dev") : paths.data;
  const watched = [ownSource(), ...flags.watch.map(pathToWatch)];
  const args = serveArguments(context, flags, data);
  const developed = new Dev({
    watched,
    except: [data, paths.settings],
    settingsPath: paths.settings,
    clock,
    random: systemRandom,
    start: () => new ChildRun({ args, data, env, clock }),
    tell: (line) => screen.answer(line),
  });
  const signals = new StopSignals();
  signals.start();
  screen.answer(`Watching ${watched.join(", ")}; data in ${data}`);
  try {
    const ended = developed.run();
    void signals.asked.then(() => developed.stop());
    void signals.interrupted.then(() => developed.kill());
    const exitCode = await ended;
    return signals.isInterrupted ? exitInterrupted : exitCode;
  } finally {
    signals.stop();
  }
}

/** What this program is made of: the folder of its source, or the executable, which is replaced by a build. */
function ownSource(): string {
  const { executable, source } = ownProgram();
  return source === undefined ? executable : dirname(resolve(source));
}

function pathToWatch(given: string): string {
  const path = resolve(given);
  if (given !== "" && existsSync(path)) return path;
  throw new SegueError("usage", `--watch needs a file or a folder; there is none at "${given}".`);
}

/** One second of drain whatever the settings say: it stands behind what the developer sets, and beats it. */
function serveArguments({ paths, flags: common }: CommandContext, flags: DevFlags, data: string): string[] {
  const given = [...flags.set, "daemon.graceMs=1000"].flatMap((set) => ["--set", set]);
  if (flags.host !== undefined) given.push("--host", flags.host);
  if (flags.port !== undefined) given.push("--port", String(flags.port));
  if (flags.log !== undefined) given.push("--log", flags.log);
  if (!common.color) given.push("--no-color");
  return ["--settings", paths.settings, "--data", data, "--under-dev", ...given];
}
