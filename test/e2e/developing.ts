import { Database } from "bun:sqlite";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fetchOnSocket } from "../../src/platform/bun.ts";
import { cleanEnv, startChild, type Child } from "../support/processes.ts";
import { eventually } from "../support/eventually.ts";
import { saveSettings } from "./settings-file.ts";

/** A `segue dev` on folders of its own, spoken to at the socket of its daemon. */
export class Developing {
  readonly child: Child;
  readonly data: string;

  constructor(folder: string, command: readonly string[], settings: object, args: readonly string[] = []) {
    const settingsPath = join(folder, "settings.json");
    saveSettings(settingsPath, settings, "written in place");
    this.data = join(folder, "home", "dev");
    this.child = startChild({
      command: [...command, "dev", "--settings", settingsPath, "--port", "0", "--log", "json", ...args],
      cwd: folder,
      env: cleanEnv(folder, { SEGUE_DATA: join(folder, "home") }),
    });
  }

  /** Resolves when the daemon has said so often that it serves. */
  async served(times: number): Promise<void> {
    await eventually(`it serves for the ${times}. time`, () => this.#failIfEnded() || this.#count() >= times);
  }

  /** The gaps that were told: the whole, and Segue's share. */
  gaps(): { totalMs: number; ownMs: number }[] {
    const told = this.child.stdout.matchAll(/^Restarted in (\d+) ms, of which Segue's (\d+) ms\.$/gm);
    return [...told].map(([, total, own]) => ({ totalMs: Number(total), ownMs: Number(own) }));
  }

  /** Asks the daemon; undefined while none answers. */
  async ask(path: string, init: RequestInit = {}): Promise<Response | undefined> {
    return fetchOnSocket(join(this.data, "segue.sock"), path, init).catch(() => undefined);
  }

  /** The JSON of a GET, once a daemon answers it. */
  async get<T>(path: string): Promise<T> {
    const response = await eventually(`an answer to ${path}`, () => this.ask(path));
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }

  /** Posts a message until it was accepted, under one key. */
  async post(session: string, content: string): Promise<void> {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": content.replaceAll(" ", "-") };
    const init = { method: "POST", headers, body: JSON.stringify({ content }) };
    await eventually(`${content} is accepted`, async () => {
      const response = await this.ask(`/api/sessions/${session}/messages`, init);
      if (response && !response.ok) throw new Error(`${response.status}: ${await response.text()}`);
      return response;
    });
  }

  /** Process id of the daemon that serves. */
  async daemonPid(): Promise<number> {
    return (await this.get<{ pid: number }>("/api/daemon")).pid;
  }

  /** What is kept in its folder of checkpoints, oldest first. */
  checkpoints(): { sessions: { id: string }[] }[] {
    const folder = join(this.data, "checkpoints");
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .toSorted()
      .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
  }

  /** Every event that was stored, in order; once nothing runs on its folder. */
  storedEvents(): { type: string; data: Record<string, unknown> }[] {
    const database = new Database(join(this.data, "segue.db"));
    try {
      const rows = database.query<{ type: string; data: string }, []>(
        "SELECT type, data FROM events ORDER BY id",
      );
      return rows.all().map(({ type, data }) => ({ type, data: JSON.parse(data) }));
    } finally {
      database.close(true);
    }
  }

  #count(): number {
    return [...this.child.stdout.matchAll(/^Segue \S+ listening on /gm)].length;
  }

  #failIfEnded(): false {
    if (this.child.hasEnded) throw new Error(`segue dev ended\n${this.child.output}`);
    return false;
  }
}
