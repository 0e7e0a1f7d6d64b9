const grouped = new Intl.NumberFormat("en");

/** A count with its digits in groups: `12,480`. */
export function countText(count: number): string {
  return grouped.format(count);
}

/** A count of things: `1 session`, `12 sessions`. */
export function thingsText(count: number, thing: string, things = `${thing}s`): string {
  return `${countText(count)} ${count === 1 ? thing : things}`;
}
