/** Values by path as nested objects; no path may be the beginning of another. */
export function nest(
  values: readonly (readonly [path: readonly string[], value: unknown])[],
): Record<string, unknown> {
  const groups = Map.groupBy(values, ([[head = ""]]) => head);
  return Object.fromEntries([...groups].map(([head, members]) => [head, nestGroup(members)]));
}

function nestGroup(members: readonly (readonly [path: readonly string[], value: unknown])[]): unknown {
  const [first] = members;
  if (first && first[0].length === 1) return first[1];
  return nest(members.map(([path, value]) => [path.slice(1), value]));
}
