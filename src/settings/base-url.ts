/** A base URL taken apart: what may be shown, and what may not. */
export interface BaseUrl {
  /** As the user wrote it, without its user-info. */
  clean: string;
  /** `user:password`, percent-decoded; undefined where there is none. */
  userInfo: string | undefined;
}

/** Scheme, then the authority up to its last `@` (WHATWG URL: the user-info ends there). */
const parts = /^(https?:\/\/)(?:([^/?#\\]*)@)?(.*)$/is;

/** Whether `text` is an absolute http or https URL without query, fragment, white space or mask. */
export function isBaseUrl(text: string): boolean {
  return /^https?:\/\/[^\s\\?#•]+$/i.test(text) && URL.canParse(text);
}

/** Takes a base URL that passed `isBaseUrl` apart. */
export function splitBaseUrl(text: string): BaseUrl {
  const [, scheme = "", written, rest = ""] = parts.exec(text) ?? [];
  if (written === undefined) return { clean: text, userInfo: undefined };
  const { username, password } = new URL(text);
  const userInfo = username || password ? `${decode(username)}:${decode(password)}` : undefined;
  return { clean: scheme + rest, userInfo };
}

/** `text` with the user-info of a URL in it replaced by `mask`; any other text as it is. */
export function maskUserInfo(text: string, mask: string): string {
  return text.replace(parts, (whole, scheme: string, written: string | undefined, rest: string) =>
    written === undefined ? whole : `${scheme}${mask}@${rest}`,
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
