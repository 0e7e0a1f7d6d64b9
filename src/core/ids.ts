/** Chance, handed in: a number in [0, 1). */
export type Random = () => number;

/** The chance of the machine. */
export const systemRandom: Random = () => Math.random();

/** Makes the ids of new things: a short prefix that tells what it is, then 96 bits of chance. */
export interface Ids {
  message(): string;
  session(): string;
  generator(): string;
  /** One start of the daemon's core; every restart has another. */
  boot(): string;
}

/** Crockford's base 32 in lower case: no letter that reads like a digit. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** Ids from `fillRandom`, which fills an array with random bytes (by default the system's). */
export function createIds(
  fillRandom: (bytes: Uint8Array<ArrayBuffer>) => void = (bytes) => void crypto.getRandomValues(bytes),
): Ids {
  const make = (prefix: string): string => {
    const bytes = new Uint8Array(20);
    fillRandom(bytes);
    return prefix + Array.from(bytes, (byte) => alphabet[byte & 31]).join("");
  };
  return {
    message: () => make("msg_"),
    session: () => make("ses_"),
    generator: () => make("gen_"),
    boot: () => make("boot_"),
  };
}
