import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SegueError } from "../../src/core/errors.ts";
import { type RunningDaemon, startDaemon } from "../../src/daemon/daemon.ts";
import type { DaemonOptions } from "../../src/daemon/foundation.ts";
import { makeFolder } from "../support/workspace.ts";

const running: RunningDaemon[] = [];
const ownMask = process.umask();

/** Stops every daemon a test started; to be called after each. A daemon changes the mask of its process. */
export async function stopDaemons(): Promise<void> {
  for (const daemon of running.splice(0)) await daemon.stop("the test is over");
  process.umask(ownMask);
}

/** A settings file and a data folder, and what can be done with them. */
export interface Place {
  options: DaemonOptions;
  start: (more?: Partial<DaemonOptions>) => Promise<RunningDaemon>;
  /** Writes the settings file, as text or as JSON. */
  write: (settings: object | string) => void;
}

/** Without it a daemon writes its log to standard error. */
export const silently = { key: "log.level", value: "silent" };

/** A place for a daemon that says nothing and picks a free port. */
export function place(settings: object | string = {}): Place {
  const folder = makeFolder("daemon");
  const options: DaemonOptions = {
    settingsPath: join(folder, "settings.json"),
    dataDir: join(folder, "data"),
    flags: [silently, { key: "server.port", value: 0 }],
    isStrict: false,
    logFormat: "json",
    version: "0.0.0-test",
  };
  const write = (text: object | string): void =>
    writeFileSync(options.settingsPath, typeof text === "string" ? text : JSON.stringify(text));
  write(settings);
  return {
    options,
    write,
    start: async (more) => {
      const daemon = await startDaemon({ ...options, ...more });
      running.push(daemon);
      return daemon;
    },
  };
}

/** What a start that has to fail is refused with. */
export async function refusalOf(start: Promise<unknown>): Promise<SegueError> {
  const thrown: unknown = await start.then(
    () => undefined,
    (reason) => reason,
  );
  if (thrown instanceof SegueError) return thrown;
  throw new Error(`it was not refused: ${String(thrown)}`);
}

/** Posts a message to the session `a`; `prefer` may say that its end is waited for. */
export async function post(
  daemon: Pick<RunningDaemon, "url">,
  content: string,
  prefer = "",
): Promise<Record<string, unknown>> {
  const headers = { "Content-Type": "text/plain", Prefer: prefer };
  const init = { method: "POST", body: content, headers };
  return (await fetch(`${daemon.url}/api/sessions/a/messages`, init)).json();
}

/** The JSON at a path. */
export async function get(
  daemon: Pick<RunningDaemon, "url">,
  path: string,
): Promise<Record<string, unknown>> {
  return (await fetch(daemon.url + path)).json();
}

/** Whether nobody listens there any more. */
export async function isGone(url: string): Promise<boolean> {
  try {
    await fetch(`${url}/healthz`);
    return false;
  } catch {
    return true;
  }
}

/** Who may do what with a file, in octal. */
export function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}
