import type { Clock } from "../core/clock.ts";
import { SegueError, errorText } from "../core/errors.ts";
import { type Files, systemFiles } from "../core/files.ts";
import type { ListenAddress, Listener, RequestHandler } from "../platform/platform.ts";
import { holderOfPort } from "./port-holder.ts";

/** The longest path a Unix socket can have (sun_path, unix(7)), without its closing zero. */
const longestSocketPath = 107;
/** How long answers under way may take when the daemon stops. */
const lastAnswersMs = 1000;

/** Opens a listener; throws the system's error where it cannot. */
export type Listen = (address: ListenAddress, handler: RequestHandler) => Listener | Promise<Listener>;

/** Opens the TCP listener; throws `cannot_listen`, naming what holds the port where it can be told. */
export async function listenOnTcp(
  listen: Listen,
  { host, port, isShared = false }: { host: string; port: number; isShared?: boolean },
  handler: RequestHandler,
  findHolder: typeof holderOfPort = holderOfPort,
): Promise<{ listener: Listener; url: string }> {
  try {
    const listener = await listen({ host, port, ...(isShared ? { isShared } : {}) }, handler);
    const name = host.includes(":") ? `[${host}]` : host;
    return { listener, url: `http://${name}:${listener.port}` };
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
    const holder = code === "EADDRINUSE" ? await findHolder(port) : undefined;
    const why =
      code === "EADDRINUSE" ? `${holder ?? "another program"} listens there already` : errorText(thrown);
    throw new SegueError("cannot_listen", `cannot listen on ${host}:${port}: ${why}`, {
      hint: "set server.port (0 picks a free one) or server.host",
      cause: thrown,
    });
  }
}

/**
 * Opens the listener on a socket (0600), in one step in the place of one that a killed daemon left, or that still
 * listens. The data folder has to be locked. Who stops it removes the file. Undefined where the path is too long for a
 * socket.
 */
export async function listenOnSocket(
  listen: Listen,
  path: string,
  handler: RequestHandler,
  files: Files = systemFiles,
): Promise<Listener | undefined> {
  if (Buffer.byteLength(path) > longestSocketPath) return undefined;
  const listener = await listen({ socket: path }, handler);
  await files.chmod(path, 0o600);
  return listener;
}

/** Takes no new requests, lets answers under way go out, and then cuts what is left. */
export async function closeListener(listener: Listener, clock: Clock): Promise<void> {
  const ended = new AbortController();
  await Promise.race([listener.stop(false), clock.sleep(lastAnswersMs, ended.signal)]);
  ended.abort();
  await listener.stop(true);
}
