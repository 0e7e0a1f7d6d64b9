import type { Clock } from "../core/clock.ts";
import { SegueError } from "../core/errors.ts";
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

interface OpenDoor {
  address: Address;
  url: string;
  listener: Listener;
  /** It goes on answering, but asks its clients to come back elsewhere. */
  isLeaving: boolean;
}

/**
 * The ways in: one TCP listener that can move to another address, and the socket in the data folder. A move is
 * lossless: the new listener serves before the old one is let go, and the old one goes on answering for a while, with
 * `Connection: close`, because a listener that stops at once cuts its kept-alive connections (measured).
 */
export class Front {
  readonly #listen: Listen;
  readonly #clock: Clock;
  readonly #tcp: RequestHandler;
  readonly #onSocket: RequestHandler;
  readonly #leaving = new Set<OpenDoor>();
  #door: OpenDoor | undefined;
  #socketListener: Listener | undefined;

  constructor(parts: { listen: Listen; clock: Clock; services: Services }) {
    this.#listen = parts.listen;
    this.#clock = parts.clock;
    const tcp = createApp(parts.services, "tcp");
    const onSocket = createApp(parts.services, "socket");
    this.#tcp = (request) => tcp.fetch(request);
    this.#onSocket = (request) => onSocket.fetch(request);
  }

  /** Where TCP is answered; empty before `open`. */
  get url(): string {
    return this.#door?.url ?? "";
  }

  /** The address asked for, a port of 0 included. */
  get address(): Address {
    return this.#door?.address ?? { host: "", port: -1 };
  }

  /** Opens the TCP listener; throws `cannot_listen`. */
  async open(address: Address): Promise<void> {
    this.#door = await this.#openDoor(address);
  }

  /** Opens the socket; false where its path is too long for one. */
  async openSocket(path: string): Promise<boolean> {
    this.#socketListener = await listenOnSocket(this.#listen, path, this.#onSocket);
    return this.#socketListener !== undefined;
  }

  /**
   * Moves to another address; throws `cannot_listen` and stays where it is. The old address goes on answering for
   * `lingerMs`.
   */
  async move(address: Address, lingerMs: number): Promise<void> {
    const old = this.#door;
    if (!old) return this.open(address);
    this.#door = await this.#openBeside(old, address);
    if (this.#door === old) return;
    old.isLeaving = true;
    this.#leaving.add(old);
    this.#clock.after(lingerMs, () => void this.#closeDoor(old));
  }

  /** Lets answers under way go out, and closes everything. */
  async close(): Promise<void> {
    const doors = [...this.#leaving, ...(this.#door ? [this.#door] : [])];
    await Promise.all(doors.map((door) => this.#closeDoor(door)));
    this.#door = undefined;
    if (this.#socketListener) await closeListener(this.#socketListener, this.#clock);
    this.#socketListener = undefined;
  }

  async #openDoor(address: Address): Promise<OpenDoor> {
    const leaving = { isLeaving: false };
    const handler: RequestHandler = async (request) => {
      const response = await this.#tcp(request);
      if (leaving.isLeaving) response.headers.set("Connection", "close");
      return response;
    };
    const { listener, url } = await listenOnTcp(this.#listen, address, handler);
    return Object.assign(leaving, { address, url, listener });
  }

  /** The same port on another host cannot be had beside the old listener: there the old one goes first. */
  async #openBeside(old: OpenDoor, address: Address): Promise<OpenDoor> {
    try {
      return await this.#openDoor(address);
    } catch (thrown) {
      const isOwnPort = thrown instanceof SegueError && address.port === old.listener.port;
      if (!isOwnPort) throw thrown;
      await closeListener(old.listener, this.#clock);
      try {
        return await this.#openDoor(address);
      } catch (again) {
        this.#door = await this.#openDoor({ host: old.address.host, port: old.listener.port });
        throw again;
      }
    }
  }

  async #closeDoor(door: OpenDoor): Promise<void> {
    this.#leaving.delete(door);
    await closeListener(door.listener, this.#clock);
  }
}
