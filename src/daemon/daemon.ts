import { isoTime, systemClock } from "../core/clock.ts";
import { createIds, systemRandom } from "../core/ids.ts";
import { createApp } from "../http/app.ts";
import { EventStreams } from "../http/event-stream.ts";
import { MessageEnds } from "../http/message-ends.ts";
import type { DaemonInfo, Services } from "../http/services.ts";
import { listen } from "../platform/bun.ts";
import { removeInstance, writeInstance } from "./instance.ts";
import { closeListener, listenOnSocket, listenOnTcp } from "./listeners.ts";
import { type DaemonOptions, type Outside, type Parts, buildParts } from "./parts.ts";

/** A daemon that serves. */
export interface RunningDaemon {
  readonly url: string;
  /** Null where the path of the data folder is too long for a socket. */
  readonly socket: string | null;
  /** Drains within `daemon.graceMs` and stops; may be called again. `reason` is told in events. */
  stop(reason: string): Promise<void>;
  /** Resolves when it has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
  /** Reads the settings file now. */
  reload(): Promise<void>;
}

/**
 * Starts a daemon on a data folder. Throws `settings_invalid`, `already_running`, `cannot_listen` or `storage`, and
 * has then left nothing behind.
 */
export async function startDaemon(options: DaemonOptions): Promise<RunningDaemon> {
  // Whatever this process makes is for its user alone.
  process.umask(0o077);
  const outside: Outside = { clock: systemClock, random: systemRandom, ids: createIds(), env: process.env };
  const parts = await buildParts(options, outside);
  const daemon = new Daemon(options, outside, parts);
  try {
    await daemon.serve();
  } catch (thrown) {
    await parts.releasers.release();
    throw thrown;
  }
  return daemon;
}

/** Makes the parts serve, tells of the whole, and takes it apart again. */
class Daemon implements RunningDaemon {
  readonly #options: DaemonOptions;
  readonly #outside: Outside;
  readonly #parts: Parts;
  readonly #startedAt: number;
  readonly #ends = new MessageEnds();
  readonly #streams: EventStreams;
  readonly #whenStopped = Promise.withResolvers<void>();
  #phase: DaemonInfo["phase"] = "starting";
  #isStopping = false;
  #url = "";
  #socket: string | null = null;
  #listensOn = { host: "", port: 0 };

  constructor(options: DaemonOptions, outside: Outside, parts: Parts) {
    this.#options = options;
    this.#outside = outside;
    this.#parts = parts;
    this.#startedAt = outside.clock.now();
    const { store, bus } = parts;
    this.#streams = new EventStreams({ store, bus, clock: outside.clock });
    parts.releasers.add(() => this.#streams.close());
    parts.releasers.add(bus.subscribe(this.#ends));
  }

  get url(): string {
    return this.#url;
  }

  get socket(): string | null {
    return this.#socket;
  }

  get stopped(): Promise<void> {
    return this.#whenStopped.promise;
  }

  async reload(): Promise<void> {
    await this.#parts.keeper.look("signal");
  }

  /** Interrupted messages first, then the listeners; from then on it serves. */
  async serve(): Promise<void> {
    const { store, keeper, registry, watchers, tell, boot, releasers, folder, log } = this.#parts;
    const { version } = this.#options;
    const { maxAttempts } = keeper.inForce.settings.turn;
    const recovered = await store.messages.recover(boot, maxAttempts, this.#outside.clock.now());
    if (recovered.requeued + recovered.failed > 0)
      log.warn("messages were in flight when the daemon stopped last", recovered);
    await this.#listen();
    this.#phase = "serving";
    await writeInstance(folder, {
      pid: process.pid,
      url: this.#url,
      socket: this.#socket,
      instanceId: boot,
      version,
      startedAt: isoTime(this.#startedAt),
    });
    releasers.add(() => removeInstance(folder));
    tell([{ type: "daemon.started", data: { instanceId: boot, version } }]);
    await registry.start();
    watchers.watch(keeper.files);
    for (const { path, message } of keeper.problems)
      log.warn(`${this.#options.settingsPath} is not in force: ${path} ${message}`);
    log.info("serving", { url: this.#url, revision: keeper.inForce.revision });
  }

  async stop(reason: string): Promise<void> {
    if (!this.#isStopping) {
      this.#isStopping = true;
      this.#takeApart(reason).then(this.#whenStopped.resolve, this.#whenStopped.reject);
    }
    await this.stopped;
  }

  async #listen(): Promise<void> {
    const { releasers, keeper, folder, log } = this.#parts;
    const { clock } = this.#outside;
    const { host, port } = keeper.inForce.settings.server;
    const services = this.#services();
    const tcpApp = createApp(services, "tcp");
    const { listener, url } = await listenOnTcp(listen, { host, port }, (request) => tcpApp.fetch(request));
    releasers.add(() => closeListener(listener, clock));
    this.#listensOn = { host, port };
    this.#url = url;
    const socketApp = createApp(services, "socket");
    const onSocket = await listenOnSocket(listen, folder.socket, (request) => socketApp.fetch(request));
    if (onSocket) {
      releasers.add(() => closeListener(onSocket, clock));
      this.#socket = folder.socket;
    } else log.warn(`${folder.socket} is too long a path for a socket; going without it, use --url ${url}`);
  }

  async #takeApart(reason: string): Promise<void> {
    const { keeper, registry, gate, watchers, tell, pending, releasers, log } = this.#parts;
    const { clock } = this.#outside;
    const { graceMs } = keeper.inForce.settings.daemon;
    const deadline = clock.now() + graceMs;
    this.#phase = "draining";
    tell([{ type: "daemon.draining", data: { reason, graceMs, inFlight: gate.totalInFlight() } }]);
    log.info("draining", { reason, graceMs, inFlight: gate.totalInFlight() });
    watchers.stop();
    gate.close();
    await keeper.stop();
    const { aborted } = await registry.drain(deadline);
    tell([{ type: "daemon.stopping", data: { reason } }]);
    await pending.settled();
    this.#ends.releaseAll();
    this.#streams.close();
    log.info("stopped", { reason, aborted });
    await releasers.release();
  }

  #services(): Services {
    const { store, gate, guard, registry, bindings, keeper, watchers, onFault } = this.#parts;
    const { clock, ids } = this.#outside;
    return {
      clock,
      ids,
      store,
      gate,
      guard,
      registry,
      bindings,
      onFault,
      streams: this.#streams,
      ends: this.#ends,
      daemon: () => this.#info(),
      settings: {
        inForce: () => keeper.inForce,
        problems: () => keeper.problems,
        watching: () => watchers.mode,
        notInForce: () => this.#notInForce(),
        look: () => keeper.look("file"),
      },
      stop: () => {
        this.stop("request").catch(onFault);
      },
    };
  }

  #info(): DaemonInfo {
    const { boot, folder } = this.#parts;
    const { version, settingsPath } = this.#options;
    return {
      instanceId: boot,
      pid: process.pid,
      version,
      startedAt: this.#startedAt,
      phase: this.#phase,
      url: this.#url,
      settingsPath,
      dataDir: folder.path,
    };
  }

  /** The address of the listener is taken at start: what differs from it waits for the next one. */
  #notInForce(): { key: string; reason: string }[] {
    const { host, port } = this.#parts.keeper.inForce.settings.server;
    const reason = "takes a restart of the daemon";
    return [
      ...(host === this.#listensOn.host ? [] : [{ key: "server.host", reason }]),
      ...(port === this.#listensOn.port ? [] : [{ key: "server.port", reason }]),
    ];
  }
}
