import type { Cancel, Clock } from "../core/clock.ts";
import { SegueError } from "../core/errors.ts";
import { type Files, systemFiles } from "../core/files.ts";
import { createApp } from "../http/app.ts";
import type { Services } from "../http/services.ts";
import type { Listen } from "./listeners.ts";
import { closeListener, listenOnSocket, listenOnTcp } from "./listeners.ts";
import type { Listener, RequestHandler } from "../platform/platform.ts";

/** Where the TCP listener is to listen. */
export interface Address {
  host: string;
  port: number;
}

/** Whether both are the same host and port. */
export function isSameAddress(a: Address, b: Address): boolean {
  return a.host === b.host && a.port === b.port;
}

/** What becomes of requests at a listener. */
interface Leave {
  /** It goes on answering, but asks its clients to come back elsewhere. */
  isLeaving: boolean;
  /** Aborted when it closes: nobody waits at it any longer. */
  closing: AbortController;
}

interface OpenDoor extends Leave {
  /** As it was asked for. */
  address: Address;
  url: string;
  listener: Listener;
  /** Undoes that it is about to be closed. */
  cancelClose: Cancel;
}

/** Where it listened before another program took the port in the middle of a move. */
interface LostDoor {
  address: Address;
  port: number;
  url: string;
  cancelRetry: Cancel;
}

interface OpenSocket extends Leave {
  path: string;
  listener: Listener;
}

/** The shortest time that kept-alive connections are given to hear that they have to come back elsewhere. */
export const shortestLingerMs = 300;
/** How often an address that was lost is tried again. */
const comeBackMs = 1000;

/**
 * The ways in: one TCP listener that can move to another address, and the socket in the data folder. A move is
 * lossless: the new listener serves before the old one is let go, and the old one goes on answering for a while, with
 * `Connection: close`, because a listener that stops at once cuts its kept-alive connections (measured).
 */
export class Front {
  readonly #listen: Listen;
  readonly #holderOfPort: ((port: number) => Promise<string | undefined>) | undefined;
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #tcp: RequestHandler;
  readonly #onSocket: RequestHandler;
  readonly #leaving = new Set<OpenDoor>();
  #door: OpenDoor | undefined;
  /** Instead of a door: where it comes back to as soon as it can. */
  #lost: LostDoor | undefined;
  #socket: OpenSocket | undefined;

  constructor(parts: {
    listen: Listen;
    /** By default asked of the machine. */
    holderOfPort?: (port: number) => Promise<string | undefined>;
    /** By default those of the machine. */
    files?: Files;
    clock: Clock;
    services: Services;
  }) {
    this.#listen = parts.listen;
    this.#clock = parts.clock;
    this.#holderOfPort = parts.holderOfPort;
    this.#files = parts.files ?? systemFiles;
    const tcp = createApp(parts.services, "tcp");
    let onSocket: ReturnType<typeof createApp> | undefined;
    this.#tcp = (request) => tcp.fetch(request);
    // Made when it is first asked for: a start does not wait for it.
    this.#onSocket = (request) => (onSocket ??= createApp(parts.services, "socket")).fetch(request);
  }

  /** Where TCP is answered; empty before `open`. */
  get url(): string {
    return (this.#door ?? this.#lost)?.url ?? "";
  }

  /** The address asked for, a port of 0 included. */
  get address(): Address {
    return (this.#door ?? this.#lost)?.address ?? { host: "", port: -1 };
  }

  /** Opens the TCP listener; throws `cannot_listen`. */
  async open(address: Address): Promise<void> {
    this.#door = await this.#openDoor(address);
  }

  /**
   * Opens the TCP listener at a port that the program before this one listens at still, and takes over from it: nobody
   * is refused. Throws `cannot_listen`, and has then changed nothing.
   */
  async openBehind(address: Address, port: number): Promise<void> {
    this.#door = await this.#openDoor({ host: address.host, port, isShared: true });
    this.#door.address = address;
  }

  /** Opens the socket; false where its path is too long for one. */
  async openSocket(path: string): Promise<boolean> {
    const state = { isLeaving: false, closing: new AbortController() };
    const listener = await listenOnSocket(this.#listen, path, leavable(this.#onSocket, state), this.#files);
    if (listener) this.#socket = Object.assign(state, { path, listener });
    return listener !== undefined;
  }

  /** The port it listens at, even where it picked that itself; undefined before `open`. */
  get port(): number | undefined {
    return this.#door?.listener.port;
  }

  /** From here on clients are asked to come back: their next connection may meet the program that comes next. */
  leave(): void {
    for (const way of [this.#door, this.#socket]) if (way) way.isLeaving = true;
  }

  /** Closes everything but the name of the socket: whoever listens there next takes it over. */
  async leaveBehind(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    await Promise.all([this.close(), ...(socket ? [this.#closeSocket(socket)] : [])]);
  }

  /**
   * Moves to another address; throws `cannot_listen` and stays where it is. From here on the old address asks its
   * clients to come back elsewhere; it goes on answering until `letGo`.
   */
  async move(address: Address): Promise<void> {
    const old = this.#door;
    if (old && isSameAddress(address, { host: old.address.host, port: old.listener.port })) {
      // 1. The port that it had picked itself is now asked for by its number.
      old.address = address;
      return;
    }
    const open = (): Promise<OpenDoor> => (old ? this.#openBeside(old, address) : this.#openDoor(address));
    const door = this.#takeBack(address) ?? (await open());
    // 2. Asked once more: what was lost may have come back meanwhile.
    const before = this.#door;
    this.#door = door;
    this.#forgetLost();
    if (!before || before === door || before.closing.signal.aborted) return;
    before.isLeaving = true;
    this.#leaving.add(before);
  }

  /** Closes the addresses that were moved away from, `lingerMs` from now. */
  letGo(lingerMs: number): void {
    for (const door of this.#leaving) {
      door.cancelClose();
      door.cancelClose = this.#clock.after(Math.max(lingerMs, shortestLingerMs), () => {
        void this.#closeDoor(door);
      });
    }
  }

  /** Lets answers under way go out, and closes everything. */
  async close(): Promise<void> {
    const doors = [...this.#leaving, ...(this.#door ? [this.#door] : [])];
    this.#forgetLost();
    await Promise.all(doors.map((door) => this.#closeDoor(door)));
    this.#door = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    await this.#closeSocket(socket);
    await this.#files.rm(socket.path, { force: true });
  }

  async #openDoor(address: Address & { isShared?: boolean }): Promise<OpenDoor> {
    const state = { isLeaving: false, cancelClose: () => {}, closing: new AbortController() };
    const handler = leavable(this.#tcp, state);
    const { listener, url } = await listenOnTcp(this.#listen, address, handler, this.#holderOfPort);
    return Object.assign(state, { address, url, listener });
  }

  async #closeSocket({ closing, listener }: OpenSocket): Promise<void> {
    closing.abort();
    await closeListener(listener, this.#clock);
  }

  /** The address that was moved away from last and still answers; undefined where there is none. */
  #takeBack(address: Address): OpenDoor | undefined {
    for (const door of this.#leaving)
      if (isSameAddress(address, { host: door.address.host, port: door.listener.port })) {
        door.cancelClose();
        door.isLeaving = false;
        door.address = address;
        this.#leaving.delete(door);
        return door;
      }
    return undefined;
  }

  /** The same port on another host cannot be had beside a listener of our own: there that one goes first. */
  async #openBeside(old: OpenDoor, address: Address): Promise<OpenDoor> {
    try {
      return await this.#openDoor(address);
    } catch (thrown) {
      const inTheWay = [old, ...this.#leaving].filter((door) => door.listener.port === address.port);
      if (!isInUse(thrown) || inTheWay.length === 0) throw thrown;
      return this.#openInstead(old, inTheWay, address);
    }
  }

  async #openInstead(old: OpenDoor, inTheWay: readonly OpenDoor[], address: Address): Promise<OpenDoor> {
    for (const door of inTheWay) door.isLeaving = true;
    await this.#clock.sleep(shortestLingerMs);
    // 2. They stop to listen before the first await: the port is not without a listener for a turn of the event loop.
    const closed = inTheWay.map((door) => this.#closeDoor(door));
    try {
      return await this.#openDoor(address);
    } catch (thrown) {
      if (inTheWay.includes(old)) {
        this.#door = undefined;
        const { address: before, url, listener } = old;
        this.#lost = { address: before, port: listener.port, url, cancelRetry: () => {} };
        await this.#comeBack(this.#lost);
      }
      throw thrown;
    } finally {
      await Promise.all(closed);
    }
  }

  /** Listens again where it did before; where another program has taken that by now, as soon as it is free. */
  async #comeBack(lost: LostDoor): Promise<void> {
    const { address, port } = lost;
    const door = await this.#openDoor({ host: address.host, port }).catch(() => undefined);
    if (this.#lost !== lost) {
      if (door) await this.#closeDoor(door);
    } else if (door) {
      this.#lost = undefined;
      this.#door = Object.assign(door, { address });
    } else lost.cancelRetry = this.#clock.after(comeBackMs, () => void this.#comeBack(lost));
  }

  #forgetLost(): void {
    this.#lost?.cancelRetry();
    this.#lost = undefined;
  }

  async #closeDoor(door: OpenDoor): Promise<void> {
    door.cancelClose();
    this.#leaving.delete(door);
    door.closing.abort();
    await closeListener(door.listener, this.#clock);
  }
}

/** Answers as `handler` does; while the listener is being left, every client is asked to come back elsewhere. */
function leavable(handler: RequestHandler, state: Leave): RequestHandler {
  return async (request) => {
    const response = await handler(state.isLeaving ? endingWith(request, state.closing.signal) : request);
    if (state.isLeaving) response.headers.set("Connection", "close");
    return response;
  };
}

function isInUse(thrown: unknown): boolean {
  const cause = thrown instanceof SegueError ? thrown.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
}

/** The same request, whose client is taken to be gone when `signal` is aborted: who waits is answered then. */
function endingWith(request: Request, signal: AbortSignal): Request {
  if (!request.headers.has("Prefer")) return request;
  return new Request(request, { signal: AbortSignal.any([request.signal, signal]) });
}
