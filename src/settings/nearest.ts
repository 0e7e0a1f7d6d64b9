import { distance } from "fastest-levenshtein";

/** Comparing costs length times length; what is longer is compared by its beginning. */
const longestCompared = 64;

/** The candidate that `name` was most likely meant to be, whatever the distance; undefined without candidates. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = fold(name);
  let best: { candidate: string; far: number } | undefined;
  for (const candidate of candidates) {
    const far = distance(wanted, fold(candidate));
    if (!best || far < best.far) best = { candidate, far };
  }
  return best?.candidate;
}

function fold(text: string): string {
  return text.slice(0, longestCompared).toLowerCase();
}

/**
 * The known path that `path` was most likely meant to be. Names are compared by their last part first: a key
 * written into the wrong section is found in its own.
 */
export function nearestPath(
  path: readonly string[],
  candidates: readonly (readonly string[])[],
): string | undefined {
  const last = path.at(-1) ?? "";
  const group = path.slice(0, -1).join(".");
  let best: { found: string; far: number } | undefined;
  for (const candidate of candidates) {
    const isHere = candidate.slice(0, -1).join(".") === group;
    const far = distance(fold(last), fold(candidate.at(-1) ?? "")) + (isHere ? 0 : 1.5);
    if (!best || far < best.far) best = { found: candidate.join("."), far };
  }
  return best?.found;
}
