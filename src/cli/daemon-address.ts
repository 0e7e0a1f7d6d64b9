import { join } from "node:path";
import { SegueError } from "../core/errors.ts";
import { dataFolder, readInstance } from "../daemon/instance.ts";
import type { CommonFlags } from "./command.ts";

/** Where a daemon answers. */
export type DaemonAddress =
  | { kind: "socket"; path: string }
  /** `base` has no slash at its end. */
  | { kind: "url"; base: string; token: string | undefined };

/** What an address is found by. */
export interface AddressContext {
  flags: Pick<CommonFlags, "url" | "token">;
  env: Record<string, string | undefined>;
  paths: { data: string };
}

/**
 * The address that flags and environment name: `--url`, else the socket in the data folder. A daemon whose folder
 * has too long a path for a socket says so in its `daemon.json`, and is spoken to at its URL.
 */
export async function daemonAddress({ flags, env, paths }: AddressContext): Promise<DaemonAddress> {
  const token = (flags.token ?? env["SEGUE_TOKEN"]) || undefined;
  if (flags.url !== undefined) return { kind: "url", base: baseOf(flags.url), token };
  const instance = await readInstance(dataFolder(paths.data));
  if (instance?.socket === null) return { kind: "url", base: instance.url, token };
  return { kind: "socket", path: join(paths.data, "segue.sock") };
}

function baseOf(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new SegueError("usage", "--url needs an address such as http://127.0.0.1:4747.");
  }
  if (url.username || url.password) {
    throw new SegueError(
      "usage",
      "--url must not hold a user or password; give the token with --token or $SEGUE_TOKEN.",
    );
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}
