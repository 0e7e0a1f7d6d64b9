/** Chance from a seed: the same seed, the same numbers (sfc32, Chris Doty-Humphrey, PractRand). */
export class Chance {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `seed` and `stream` are whole numbers; streams of one seed have nothing to do with each other. */
  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = stream | 0;
    for (let round = 0; round < 15; round++) this.#word();
  }

  /** From 0 up to 1. */
  readonly next = (): number => this.#word() / 2 ** 32;

  /** A whole number from 0 up to `below`. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** Whether it comes to pass, with this probability. */
  happens(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of several; the more often it stands there, the more often. */
  pick<T>(from: readonly [T, ...T[]]): T {
    return from[this.below(from.length)] ?? from[0];
  }

  /** One of several, undefined where there is none. */
  pickAny<T>(from: readonly T[]): T | undefined {
    return from[this.below(from.length)];
  }

  /** A number to seed another chance with. */
  seed(): number {
    return this.#word();
  }

  #word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}
