/** IMF-fixdate, the obsolete RFC 850 form, and asctime, which names no zone and means GMT (RFC 9110, 5.6.7). */
const httpDate = /^[A-Z][a-z]{2,8},? .*\d{2}:\d{2}:\d{2}(?: \d{4})?(?<zone> GMT)?$/;

/**
 * Milliseconds from `now` that a Retry-After header (RFC 9110, 10.2.3: seconds, or a date) asks to wait, 0 for a
 * date that has passed; undefined where there is none or it cannot be read.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,10}(?:\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  const date = httpDate.exec(text);
  if (date === null) return undefined;
  const at = Date.parse(date.groups?.["zone"] === undefined ? `${text} GMT` : text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
