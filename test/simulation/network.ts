import type { ListenAddress, RequestHandler } from "../../src/platform/platform.ts";
import type { Listen } from "../../src/daemon/listeners.ts";
import type { Chance } from "./chance.ts";
import type { SimulatedProcess } from "./process.ts";

/** An open listener. */
interface Door {
  host: string;
  port: number;
  process: SimulatedProcess;
  handler: RequestHandler;
  exchanges: Set<Exchange>;
  isRefusing: boolean;
  /** Told when nothing is under way any more. */
  onIdle: () => void;
}

/** One request on its way, and whoever wants to know what becomes of it. */
export class Exchange {
  isOver = false;
  readonly #door: Door;
  readonly #onCut: () => void;

  constructor(door: Door, onCut: () => void) {
    this.#door = door;
    this.#onCut = onCut;
    door.exchanges.add(this);
  }

  /** It was answered, or nobody waits for that any more. */
  end(): void {
    this.isOver = true;
    this.#door.exchanges.delete(this);
    if (this.#door.exchanges.size === 0) this.#door.onIdle();
  }

  /** The listener was closed over it. */
  cut(): void {
    if (this.isOver) return;
    this.end();
    this.#onCut();
  }
}

const firstFreePort = 40_000;

/** What listens where. Requests go straight to whoever listens, as a listener would hand them on. */
export class Network {
  /** Ports that another program has taken. */
  readonly taken = new Set<number>();
  readonly #doors = new Set<Door>();
  readonly #chance: () => Chance;
  #nextFree = firstFreePort;

  constructor(chance: () => Chance) {
    this.#chance = chance;
  }

  /** Listeners that are open. */
  get open(): number {
    return this.#doors.size;
  }

  /** Whether there is a way in, over TCP or the socket. */
  isReachable(way: "tcp" | "socket"): boolean {
    return this.#doorOf(way) !== undefined;
  }

  /** Opens listeners for one process; they go with it. */
  listenFor(process: SimulatedProcess): Listen {
    // 1. Those too that let nobody in any more, and wait for what is under way.
    const opened = new Set<Door>();
    process.atDeath(() => {
      for (const door of opened) {
        this.#doors.delete(door);
        for (const exchange of door.exchanges) exchange.cut();
      }
    });
    return (address, handler) => {
      process.pass();
      const door = this.#open(process, address, handler);
      opened.add(door);
      return { port: door.port, stop: (isForced) => this.#stop(door, isForced) };
    };
  }

  /**
   * Sends a request to the newest listener of a way, now and then to an older one that is still there; undefined where nobody listens. `onSent` is called right before,
   * `onCut` where no answer will come: the process died, or closed its listener over the request.
   */
  send(
    way: "tcp" | "socket",
    make: (base: string) => Request,
    onCut: () => void,
    onSent: () => void = () => {},
  ): { exchange: Exchange; process: SimulatedProcess; response: Promise<Response> } | undefined {
    const door = this.#doorOf(way);
    if (!door) return undefined;
    const exchange = new Exchange(door, onCut);
    const request = make(way === "socket" ? "http://localhost" : `http://${door.host}:${door.port}`);
    onSent();
    return { exchange, process: door.process, response: answerOf(door, request) };
  }

  #doorOf(way: "tcp" | "socket"): Door | undefined {
    const doors = [...this.#doors].filter(
      (door) => !door.isRefusing && (door.port === 0) === (way === "socket"),
    );
    const isLate = doors.length > 1 && this.#chance().happens(0.3);
    return isLate ? doors[0] : doors.at(-1);
  }

  #open(process: SimulatedProcess, address: ListenAddress, handler: RequestHandler): Door {
    const isSocket = "socket" in address;
    const host = isSocket ? address.socket : address.host;
    const port = isSocket ? 0 : address.port === 0 ? this.#nextFree++ : address.port;
    if (!isSocket) this.#requireFree(host, port);
    const door: Door = {
      host,
      port,
      process,
      handler,
      exchanges: new Set(),
      isRefusing: false,
      onIdle: () => {},
    };
    this.#doors.add(door);
    return door;
  }

  #requireFree(host: string, port: number): void {
    const isHeld = [...this.#doors].some(
      (door) => door.port === port && (door.host === host || [door.host, host].includes("0.0.0.0")),
    );
    if (isHeld || this.taken.has(port))
      throw Object.assign(new Error(`EADDRINUSE: ${host}:${port}`), { code: "EADDRINUSE" });
  }

  #stop(door: Door, isForced: boolean): Promise<void> {
    door.isRefusing = true;
    this.#doors.delete(door);
    if (isForced) for (const exchange of door.exchanges) exchange.cut();
    if (door.exchanges.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      door.onIdle = resolve;
    });
  }
}

async function answerOf(door: Door, request: Request): Promise<Response> {
  return door.handler(request);
}
