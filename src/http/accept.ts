/**
 * Which of these media types a request wants (RFC 9110, "Accept"): the one with the highest weight, of equal ones
 * the first; the first too where it accepts none of them.
 */
export function preferredType<Type extends string>(
  request: Request,
  offered: readonly [Type, ...Type[]],
): Type {
  const ranges = (request.headers.get("Accept") ?? "*/*").split(",").map(rangeOf);
  let best = offered[0];
  let bestWeight = 0;
  for (const type of offered) {
    const weight = weightOf(type, ranges);
    if (weight > bestWeight) [best, bestWeight] = [type, weight];
  }
  return best;
}

interface Range {
  type: string;
  weight: number;
}

function rangeOf(text: string): Range {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  return { type, weight: weight === undefined ? 1 : Number(weight) || 0 };
}

/** The most specific range that names a type decides. */
function weightOf(type: string, ranges: readonly Range[]): number {
  const [family] = type.split("/");
  for (const name of [type, `${family}/*`, "*/*"]) {
    const range = ranges.find((candidate) => candidate.type === name);
    if (range) return range.weight;
  }
  return 0;
}
