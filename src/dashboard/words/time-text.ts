const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A length of time in its largest unit and the next: `12 s`, `3 min`, `2 h 5 min`, `4 d 1 h`. */
export function durationText(ms: number): string {
  const length = Math.max(0, ms);
  if (length < minute) return `${Math.floor(length / second)} s`;
  if (length < hour) return `${Math.floor(length / minute)} min`;
  if (length < day) return withRest(length, hour, "h", minute, "min");
  return withRest(length, day, "d", hour, "h");
}

function withRest(ms: number, unit: number, name: string, next: number, nextName: string): string {
  const rest = Math.floor((ms % unit) / next);
  const whole = `${Math.floor(ms / unit)} ${name}`;
  return rest === 0 ? whole : `${whole} ${rest} ${nextName}`;
}

/** How long ago: `just now`, `5 s ago`. */
export function agoText(at: number, now: number): string {
  return now - at < second ? "just now" : `${durationText(now - at)} ago`;
}

/** How long from now: `in 12 s`; `now` where it is past. */
export function untilText(at: number, now: number): string {
  return at - now < second ? "now" : `in ${durationText(at - now)}`;
}

/** The time of day, with the day where that is another than today's. */
export function clockText(at: number, now: number): string {
  const date = new Date(at);
  const time = date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  if (date.toDateString() === new Date(now).toDateString()) return time;
  return `${date.toLocaleDateString(undefined, { day: "numeric", month: "short" })} ${time}`;
}
