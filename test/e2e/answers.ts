/** A message as the daemon shows it (contract section 5), as far as these tests ask for it. */
export interface MessageAnswer {
  id: string;
  session: string;
  seq: number;
  content: string;
  status: "pending" | "running" | "done" | "failed" | "cancelled";
  attempts: number;
  reply: string | null;
  error: { kind: string; message: string; status?: number } | null;
  provider: string | null;
  model: string | null;
  revision: number | null;
}

/** A page of a list. */
export interface PageAnswer<T> {
  items: T[];
  next: string | null;
}

/** `GET /api/settings/status`. */
export interface StatusAnswer {
  revision: number;
  hash: string | null;
  problems: { path: string; message: string; line?: number; column?: number }[];
  notInForce: { key: string; reason: string }[];
}

/** `GET /api/daemon`. */
export interface DaemonAnswer {
  instanceId: string;
  pid: number;
  version: string;
  phase: "starting" | "serving" | "draining";
  url: string;
  lastRestart: {
    at: string;
    reason: string;
    downtimeMs: number;
    sessions: { id: string; turns: number; subscribers: number }[];
    requeued: number;
    timedOut: number;
  } | null;
}

/** `daemon.json` in the data folder. */
export interface InstanceFile {
  pid: number;
  url: string;
  instanceId: string;
}
