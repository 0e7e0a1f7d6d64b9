import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { listen } from "../../src/platform/bun.ts";
import type { Listener, RequestHandler } from "../../src/platform/platform.ts";
import { makeHome, type Home } from "./segue.ts";

const listeners: Listener[] = [];

/** Closes what answers in every home; to be called after each test. */
export async function closeHomes(): Promise<void> {
  for (const listener of listeners.splice(0)) await listener.stop(true);
}

/** A home in whose data folder something answers on the daemon's socket. */
export function homeWithDaemon(handler: RequestHandler): Home {
  const home = makeHome();
  const data = join(home.folder, ".local", "share", "segue");
  mkdirSync(data, { recursive: true });
  listeners.push(listen({ socket: join(data, "segue.sock") }, handler));
  return home;
}
