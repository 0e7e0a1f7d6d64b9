/** A longer wait counts as this one (contract section 5). */
const longestWaitSeconds = 300;

/**
 * The seconds of `Prefer: wait=SECONDS` (RFC 7240), at most 300; undefined where it is not asked for. Preferences
 * that are unknown or malformed are passed over, as the RFC wants.
 */
export function requestedWaitSeconds(request: Request): number | undefined {
  for (const preference of (request.headers.get("Prefer") ?? "").split(",")) {
    const [, seconds] = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;|$)/i.exec(preference) ?? [];
    if (seconds !== undefined) return Math.min(Number(seconds), longestWaitSeconds);
  }
  return undefined;
}
