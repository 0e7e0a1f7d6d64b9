import type { Clock } from "../core/clock.ts";
import { SegueError } from "../core/errors.ts";

/** A body up to this length counts as short. */
const shortBodyBytes = 64 * 1024;
/** A body up to this length, if it says so, is read in one go. */
const wholeBodyBytes = 1024 * 1024;
/** What bodies that are being read may hold together: the short ones, and all others. */
const mostShortBytes = 64 * 1024 * 1024;
const mostLongBytes = 256 * 1024 * 1024;
/** How long a body may take to arrive. */
const longestReadMs = 120_000;

/** A request whose body is bounded. */
export interface GuardedRequest {
  request: Request;
  /** Whether its body was given up, for it took too long. */
  isLate: () => boolean;
  /** To be called when the request has been answered. */
  release: () => void;
}

/**
 * Bounds what bodies take while they are read: all together no more than a fixed number of bytes, and none for ever.
 * Short ones have an allowance of their own, so that a few long ones do not keep them out. One that goes beyond is
 * refused: `too_many_pending`, or `malformed` where it takes too long.
 */
export class BodyGuard {
  readonly #clock: Clock;
  readonly #short = new Allowance(mostShortBytes);
  readonly #long = new Allowance(mostLongBytes);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The same request with a guarded body. */
  guard(request: Request): GuardedRequest {
    const length = request.headers.get("Content-Length");
    if (length !== null && Number(length) <= wholeBodyBytes) return this.#guardWhole(request, Number(length));
    return request.body ? this.#guardStream(request, request.body) : unguarded(request);
  }

  /** Counted as it says, before it has come: what has come of it so far is not told. */
  #guardWhole(request: Request, length: number): GuardedRequest {
    if (length === 0) return unguarded(request);
    const held = (length <= shortBodyBytes ? this.#short : this.#long).part();
    const late = Promise.withResolvers<never>();
    let isLate = false;
    const read = request.arrayBuffer.bind(request);
    const readInTime = async (): Promise<ArrayBuffer> => {
      held.add(length);
      const cancel = this.#clock.after(longestReadMs, () => {
        isLate = true;
        late.reject(tooSlow());
      });
      try {
        return await Promise.race([read(), late.promise]);
      } finally {
        cancel();
        held.release();
      }
    };
    // 1. Only this way of reading is guarded, the one that `readText` goes; a stream around a short body would cost
    // more than the rest of its post.
    Object.defineProperty(request, "arrayBuffer", { value: readInTime });
    return { request, isLate: () => isLate, release: held.release };
  }

  #guardStream(request: Request, body: ReadableStream<Uint8Array>): GuardedRequest {
    const [short, long] = [this.#short.part(), this.#long.part()];
    let length = 0;
    let isLate = false;
    let refuse: (error: SegueError) => void = () => {};
    const cancel = this.#clock.after(longestReadMs, () => {
      isLate = true;
      refuse(tooSlow());
    });
    const release = (): void => {
      cancel();
      short.release();
      long.release();
    };
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      start: (controller) => {
        refuse = (error) => controller.error(error);
      },
      transform: (chunk, controller) => {
        length += chunk.byteLength;
        (length <= shortBodyBytes ? short : long).add(chunk.byteLength);
        controller.enqueue(chunk);
      },
      flush: release,
    });
    const { method, headers, signal } = request;
    const guarded = new Request(request.url, { method, headers, signal, body: body.pipeThrough(counted) });
    return { request: guarded, isLate: () => isLate, release };
  }
}

/** Bytes that may be held at the same time. */
class Allowance {
  readonly #most: number;
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** A part of it; `add` throws `too_many_pending` where there is not that much left. */
  part(): { add: (bytes: number) => void; release: () => void } {
    let part = 0;
    return {
      add: (bytes) => {
        if (this.#held + bytes > this.#most) throw tooMany();
        part += bytes;
        this.#held += bytes;
      },
      release: () => {
        this.#held -= part;
        part = 0;
      },
    };
  }
}

function unguarded(request: Request): GuardedRequest {
  return { request, isLate: () => false, release: () => {} };
}

function tooMany(): SegueError {
  return new SegueError("too_many_pending", "too many bodies are being read at once", {
    retryAfterSeconds: 5,
  });
}

function tooSlow(): SegueError {
  return new SegueError("malformed", `the body did not arrive within ${longestReadMs / 1000} seconds`);
}
