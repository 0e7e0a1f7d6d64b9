import type { Item } from "./workload.ts";

/**
 * Leaves out of a list what it fails without, by ever smaller pieces (delta debugging, Zeller and Hildebrandt 2002).
 * `fails` says whether a list still fails in the same way; it is asked at most `mostTries` times.
 */
export async function shortened(
  items: readonly Item[],
  fails: (items: readonly Item[]) => Promise<boolean>,
  mostTries: number,
): Promise<readonly Item[]> {
  let shortest = items;
  let tries = 0;
  for (let size = Math.ceil(items.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let start = 0; start < shortest.length && tries < mostTries;) {
      const rest = [...shortest.slice(0, start), ...shortest.slice(start + size)];
      tries += 1;
      if (await fails(rest)) shortest = rest;
      else start += size;
    }
  return shortest;
}
