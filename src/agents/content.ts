import { withoutPrivate } from "./private-text.ts";

/** An object of an event. */
export type EventObject = Readonly<Record<string, unknown>>;

/** A field that is longer than this is cut in the middle (contract section 8). */
const longestFieldBytes = 8 * 1024;

/** Deeper than any event, far from what could exhaust a stack. */
const deepestNesting = 200;

/** Whether a value is nested deeper than the other functions here can take. */
export function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepestNesting) return true;
    level = level.flatMap((item) => (typeof item === "object" && item !== null ? Object.values(item) : []));
  }
  return false;
}

/** Whether a value is an object with fields. */
export function isEventObject(value: unknown): value is EventObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The event without private text, anywhere in it; half characters, which no UTF-8 text holds, are replaced. */
export function cleanEvent(event: EventObject): EventObject {
  const cleaned = mapTexts(event, (texts) => withoutPrivate(texts.map((text) => text.toWellFormed())));
  return isEventObject(cleaned) ? cleaned : {};
}

/**
 * The event as one line of JSON, each long field cut in the middle. Where the line is still longer than `maxBytes` it
 * is cut itself, and is then no JSON any more.
 */
export function eventLine(event: EventObject, maxBytes: number): string {
  const line = JSON.stringify(
    mapTexts(event, (texts) => texts.map((text) => cutMiddle(text, longestFieldBytes))),
  );
  return cutMiddle(line, maxBytes);
}

/**
 * A text of at most `maxBytes` in UTF-8: its beginning, a mark that says how much is left out, its end. No character
 * is cut in half.
 */
function cutMiddle(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  const mark = (left: number): string => `…[${left} bytes left out]…`;
  const room = Math.max(0, maxBytes - Buffer.byteLength(mark(bytes.length)));
  const headEnd = characterStart(bytes, Math.ceil(room / 2));
  const tailStart = characterEnd(bytes, bytes.length - Math.floor(room / 2));
  const [head, tail] = [bytes.subarray(0, headEnd), bytes.subarray(tailStart)];
  return head.toString() + mark(tailStart - headEnd) + tail.toString();
}

/** Whether a byte goes on a character of UTF-8. */
function isInside(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at] ?? 0) & 0xc0) === 0x80;
}

function characterStart(bytes: Uint8Array, at: number): number {
  let start = at;
  while (start > 0 && isInside(bytes, start)) start -= 1;
  return start;
}

function characterEnd(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end < bytes.length && isInside(bytes, end)) end += 1;
  return end;
}

/**
 * A JSON value with every text in it replaced, names of fields too. `replace` gets the texts of a list together, in
 * order, however deep they lie in it: they may be lines of one text; every other text comes alone. It answers as many.
 */
function mapTexts(value: unknown, replace: (texts: readonly string[]) => string[]): unknown {
  if (typeof value === "string") return replace([value])[0];
  if (Array.isArray(value)) {
    const replaced = replace(textsIn(value));
    let next = 0;
    return rebuilt(value, () => replaced[next++] ?? "");
  }
  if (!isEventObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [replace([name])[0] ?? "", mapTexts(inner, replace)]),
  );
}

/** Every text in a value, in the order in which `rebuilt` asks for them. */
function textsIn(value: unknown): string[] {
  const texts: string[] = [];
  rebuilt(value, (text) => {
    texts.push(text);
    return text;
  });
  return texts;
}

/** The value with each text replaced by what `next` answers for it. */
function rebuilt(value: unknown, next: (text: string) => string): unknown {
  if (typeof value === "string") return next(value);
  if (Array.isArray(value)) return value.map((item: unknown) => rebuilt(item, next));
  if (!isEventObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const field = next(name);
      return [field, rebuilt(inner, next)];
    }),
  );
}
