/** Whether an address is this machine's own loopback. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}

/**
 * Where the page has to go when the daemon serves at `url` from now on; undefined where it stays. It goes only where it
 * came to the daemon by the address that the daemon itself had before: behind a tunnel or a proxy nothing has moved.
 * A page that was opened as `localhost` stays there.
 */
export function movedTo(here: URL, before: string, url: string): string | undefined {
  const old = new URL(before);
  const next = new URL(url);
  const isDirect =
    here.port === old.port &&
    (here.hostname === old.hostname || (isLoopback(here.hostname) && isLoopback(old.hostname)));
  if (!isDirect || next.origin === old.origin) return undefined;
  if (isLoopback(next.hostname) && isLoopback(here.hostname)) next.hostname = here.hostname;
  return `${next.origin}/${here.hash}`;
}
