import type { Cancel } from "../../src/core/clock.ts";
import type { Chance } from "./chance.ts";

interface Timer {
  at: number;
  order: number;
  task: () => void;
}

/**
 * Time and order of a simulated world. Nothing in it happens but by a turn: promises run until none has anything more
 * to do, then one thing is taken of those that are ready — what was deferred, or some work of the outside that is done.
 * Time stands still meanwhile and goes on only from timer to timer.
 */
export class Scheduler {
  /** Decides in which order the outside gets its work done. */
  chance: Chance;
  #now: number;
  #order = 0;
  /** A binary heap, the earliest first. */
  readonly #timers: Timer[] = [];
  readonly #cancelled = new Set<Timer>();
  #deferred: (() => void)[] = [];
  readonly #ready: (() => void)[] = [];

  constructor(now: number, chance: Chance) {
    this.#now = now;
    this.chance = chance;
  }

  /** Milliseconds since the Unix epoch. */
  get now(): number {
    return this.#now;
  }

  /** Timers that wait, by the moment they are for. */
  get timers(): number {
    return this.#timers.length - this.#cancelled.size;
  }

  /** When the next timer fires; undefined where none waits. */
  get nextAt(): number | undefined {
    return this.#first()?.at;
  }

  /** Whether nothing is left to do at this moment of time. To be asked right after a turn. */
  get isQuiet(): boolean {
    return this.#deferred.length === 0 && this.#ready.length === 0;
  }

  /** Runs a task once, `ms` from now; as on a machine, times are whole milliseconds. */
  after(ms: number, task: () => void): Cancel {
    const timer: Timer = { at: this.#now + Math.max(0, Math.ceil(ms)), order: this.#order++, task };
    push(this.#timers, timer);
    let isOver = false;
    timer.task = () => {
      isOver = true;
      task();
    };
    return () => {
      if (isOver) return;
      isOver = true;
      this.#cancelled.add(timer);
    };
  }

  /** Runs a task when the present turn of the event loop is over. */
  defer(task: () => void): void {
    this.#deferred.push(task);
  }

  /** Work of the outside that is done, and will be told of soon, in no certain order. */
  soon(task: () => void): void {
    this.#ready.push(task);
  }

  /** Time passes with nothing happening: whoever should have woken up meanwhile does so late. */
  stall(ms: number): void {
    this.#now += ms;
  }

  /** One turn. Answers whether there was anything to do. */
  async turn(): Promise<boolean> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    if (this.isQuiet) return false;
    const isReadyNext = this.#ready.length > 0 && (this.#deferred.length === 0 || this.chance.happens(0.5));
    if (isReadyNext) {
      const [task] = this.#ready.splice(this.chance.below(this.#ready.length), 1);
      task?.();
    } else {
      const tasks = this.#deferred;
      this.#deferred = [];
      for (const task of tasks) task();
    }
    return true;
  }

  /** Turns until nothing is left to do. Throws where that takes for ever. */
  async settle(): Promise<void> {
    for (let turn = 0; await this.turn(); turn++)
      if (turn > 20_000) throw new Error("the world does not come to rest at one moment of time");
  }

  /** Fires the next timer, if it is for `until` at the latest; the answer is whether there was one. */
  fire(until: number): boolean {
    const timer = this.#first();
    if (!timer || timer.at > until) return false;
    pop(this.#timers);
    this.#now = Math.max(this.#now, timer.at);
    timer.task();
    return true;
  }

  /** Time goes on to a moment before which no timer is left. */
  skipTo(at: number): void {
    this.#now = Math.max(this.#now, at);
  }

  #first(): Timer | undefined {
    for (;;) {
      const [timer] = this.#timers;
      if (!timer || !this.#cancelled.delete(timer)) return timer;
      pop(this.#timers);
    }
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

function push(heap: Timer[], timer: Timer): void {
  let place = heap.length;
  heap.push(timer);
  while (place > 0) {
    const above = (place - 1) >> 1;
    const parent = heap[above];
    if (!parent || !isBefore(timer, parent)) break;
    heap[place] = parent;
    heap[above] = timer;
    place = above;
  }
}

function pop(heap: Timer[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let place = 0;
  for (;;) {
    const left = 2 * place + 1;
    const [one, other] = [heap[left], heap[left + 1]];
    const child = one && other && isBefore(other, one) ? left + 1 : left;
    const next = heap[child];
    if (!next || !isBefore(next, last)) break;
    heap[place] = next;
    place = child;
  }
  heap[place] = last;
}
