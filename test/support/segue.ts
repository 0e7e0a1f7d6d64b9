import { EventSourceParserStream } from "eventsource-parser/stream";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureBinary } from "./binary.ts";
import { cleanEnv, startChild, type Child, type Ending, type Scope } from "./processes.ts";
import { makeFolder } from "./workspace.ts";

export interface SegueOptions {
  /** What settings.json holds: a value, or the text itself. Where it is left out the file is not touched. */
  settings?: object | string;
  /** By default the folder `data` in a folder of its own. */
  dataDir?: string;
  /** By default `settings.json` beside the data folder. */
  settingsPath?: string;
  /** Further arguments of `serve`. */
  args?: readonly string[];
  /** Further environment. */
  env?: Readonly<Record<string, string>>;
  /** By default a free one that the daemon picks; `"settings"` leaves it to settings.json. */
  port?: number | "settings";
  scope?: Scope;
  /** The program, if not the compiled one: what stands before `serve`. */
  program?: readonly string[];
}

/** An event of the stream as it arrived; `id` is undefined for those that are not replayed. */
export interface ReceivedEvent {
  id: number | undefined;
  type: string;
  data: Record<string, unknown>;
}

const listening = /^Segue (?<version>\S+) listening on (?<url>\S+)$/m;

/** Starts the compiled program's `serve` and answers once it serves. */
export async function startSegue(options: SegueOptions = {}): Promise<Segue> {
  const place = placeOf(options);
  if (options.settings !== undefined) writeSettings(place.settingsPath, options.settings);
  const child = startChild({
    command: [...(options.program ?? [await ensureBinary()]), ...serveArguments(place, options)],
    cwd: place.folder,
    env: cleanEnv(place.folder, options.env),
    scope: options.scope ?? "test",
  });
  const found = await child.waitForOutput(listening);
  return new Segue(child, place, found.groups?.["url"] ?? "", found.groups?.["version"] ?? "");
}

interface Place {
  folder: string;
  dataDir: string;
  settingsPath: string;
}

function placeOf({ dataDir, settingsPath, scope }: SegueOptions): Place {
  const folder = dataDir === undefined ? makeFolder("daemon", scope) : dirname(dataDir);
  const data = dataDir ?? join(folder, "data");
  return { folder, dataDir: data, settingsPath: settingsPath ?? join(folder, "settings.json") };
}

function serveArguments({ settingsPath, dataDir }: Place, { port = 0, args = [] }: SegueOptions): string[] {
  const ports = port === "settings" ? [] : ["--port", String(port)];
  return ["serve", "--settings", settingsPath, "--data", dataDir, ...ports, ...args];
}

function writeSettings(path: string, settings: object | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof settings === "string" ? settings : JSON.stringify(settings, null, 2));
}

/** A running daemon. */
export class Segue {
  readonly process: Child;
  readonly url: string;
  readonly version: string;
  readonly dataDir: string;
  readonly settingsPath: string;

  constructor(process: Child, place: Place, url: string, version: string) {
    this.process = process;
    this.url = url;
    this.version = version;
    this.dataDir = place.dataDir;
    this.settingsPath = place.settingsPath;
  }

  /** Path of its socket. */
  get socket(): string {
    return join(this.dataDir, "segue.sock");
  }

  /** Any request; `path` begins with a slash. */
  request(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.url + path, init);
  }

  /** The JSON that a GET answers; fails where it is not 2xx. What is expected of it is the caller's claim. */
  async get<T>(path: string): Promise<T> {
    return this.#json(path, await this.request(path));
  }

  /** The JSON that a POST of `body` as JSON answers; fails where it is not 2xx. */
  async post<T>(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<T> {
    const init = {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    };
    return this.#json(path, await this.request(path, init));
  }

  /**
   * The event stream after `after` (an id; undefined: from now), with a query such as `session=a&type=message.*`.
   * Leaving the loop closes the stream; so does `signal`, which fails the loop.
   */
  async *events(after?: number, query = "", signal?: AbortSignal): AsyncGenerator<ReceivedEvent, void, void> {
    const abort = new AbortController();
    const anyOf = signal ? AbortSignal.any([abort.signal, signal]) : abort.signal;
    const parts = [after === undefined ? "" : `after=${after}`, query].filter((part) => part !== "");
    try {
      const response = await this.request(`/api/events?${parts.join("&")}`, { signal: anyOf });
      if (!response.ok || !response.body) throw new Error(`GET /api/events answered ${response.status}`);
      const decoded = response.body
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream());
      for await (const { id, event, data } of decoded)
        yield {
          id: id === undefined ? undefined : Number(id),
          type: event ?? "message",
          data: JSON.parse(data),
        };
    } finally {
      abort.abort();
    }
  }

  /** Waits for the first event that `isWanted`. */
  async nextEvent(
    after: number | undefined,
    isWanted: (event: ReceivedEvent) => boolean,
    query = "",
  ): Promise<ReceivedEvent> {
    for await (const event of this.events(after, query)) if (isWanted(event)) return event;
    throw new Error(`the event stream ended without the wanted event\n${this.process.output}`);
  }

  /** `kill -9`, to it and all it started. */
  kill(): Promise<Ending> {
    return this.process.kill();
  }

  /** SIGTERM, and waits for its end. */
  stop(): Promise<Ending> {
    this.process.signal("SIGTERM");
    return this.process.ended();
  }

  /** The same data folder and settings file again, after this one has ended. */
  restart(options: SegueOptions = {}): Promise<Segue> {
    return startSegue({
      dataDir: this.dataDir,
      settingsPath: this.settingsPath,
      scope: this.process.scope,
      ...options,
    });
  }

  async #json<T>(path: string, response: Response): Promise<T> {
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }
}

/** Runs the compiled program with any arguments to its end. */
export async function runSegue(
  args: readonly string[],
  {
    folder = makeFolder("run"),
    env = {},
    stdin,
  }: { folder?: string; env?: Record<string, string>; stdin?: string } = {},
): Promise<Ending & { stdout: string; stderr: string }> {
  const command = [await ensureBinary(), ...args];
  const child = startChild({
    command,
    cwd: folder,
    env: cleanEnv(folder, env),
    ...(stdin === undefined ? {} : { stdin }),
  });
  const ending = await child.ended();
  return { ...ending, stdout: child.stdout, stderr: child.stderr };
}
