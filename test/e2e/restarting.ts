import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { Segue } from "../support/segue.ts";
import type { DaemonAnswer, InstanceFile, StatusAnswer } from "./answers.ts";

/** What `daemon.json` says; it is replaced in one step, so that it is always whole. */
export function instanceOf(segue: Segue): InstanceFile {
  return JSON.parse(readFileSync(join(segue.dataDir, "daemon.json"), "utf8"));
}

/** The port of the present address, by `daemon.json`. */
export function portOf(segue: Segue): number {
  return Number(new URL(instanceOf(segue).url).port);
}

/** The same daemon at the address it has now. */
export function moved(segue: Segue): Segue {
  const { dataDir, settingsPath, process, version } = segue;
  return new Segue(
    process,
    { folder: dirname(dataDir), dataDir, settingsPath },
    instanceOf(segue).url,
    version,
  );
}

/** What a GET on the socket answers, which stays where it is. */
async function onSocket<T>(segue: Segue, path: string): Promise<T> {
  const response = await fetch(`http://localhost${path}`, { unix: segue.socket });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

/** `GET /api/daemon`, on the socket. */
export function daemonOf(segue: Segue): Promise<DaemonAnswer> {
  return onSocket(segue, "/api/daemon");
}

/** `GET /api/settings/status`, on the socket. */
export function statusOf(segue: Segue): Promise<StatusAnswer> {
  return onSocket(segue, "/api/settings/status");
}

/** Waits until another instance than `before` serves; answers the daemon where it is then. */
export async function restarted(segue: Segue, before: InstanceFile): Promise<Segue> {
  await eventually("another instance", () => instanceOf(segue).instanceId !== before.instanceId);
  return moved(segue);
}
