import type { Clock } from "../core/clock.ts";
import { SegueError } from "../core/errors.ts";

/** A body up to this length is nothing to guard against. */
const smallBodyBytes = 1024 * 1024;
/** What all longer bodies that are being read may hold together. */
const mostBytes = 256 * 1024 * 1024;
/** How long a longer body may take to arrive. */
const longestReadMs = 120_000;

/**
 * Bounds what bodies take while they are read: all long ones together no more than a fixed number of bytes, and none
 * for ever. One that goes beyond is refused: `too_many_pending`, or `malformed` where it takes too long.
 */
export class BodyGuard {
  readonly #clock: Clock;
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The same request with a guarded body, and what is to be called when it has been answered. */
  guard(request: Request): { request: Request; release: () => void } {
    if (!request.body || isSmall(request)) return { request, release: () => {} };
    let held = 0;
    let refuse: (error: SegueError) => void = () => {};
    const release = (): void => {
      cancel();
      this.#bytes -= held;
      held = 0;
    };
    const cancel = this.#clock.after(longestReadMs, () => refuse(tooSlow()));
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      start: (controller) => {
        refuse = (error) => controller.error(error);
      },
      transform: (chunk, controller) => {
        held += chunk.byteLength;
        this.#bytes += chunk.byteLength;
        if (this.#bytes > mostBytes) throw tooMany();
        controller.enqueue(chunk);
      },
      flush: release,
    });
    const { method, headers, signal } = request;
    const body = request.body.pipeThrough(counted);
    return { request: new Request(request.url, { method, headers, signal, body }), release };
  }
}

function isSmall(request: Request): boolean {
  const length = request.headers.get("Content-Length");
  return length !== null && Number(length) <= smallBodyBytes;
}

function tooMany(): SegueError {
  return new SegueError("too_many_pending", "too many long bodies are being read at once", {
    retryAfterSeconds: 5,
  });
}

function tooSlow(): SegueError {
  return new SegueError("malformed", `the body did not arrive within ${longestReadMs / 1000} seconds`);
}
