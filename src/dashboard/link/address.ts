/** Whether an address is this machine's own loopback. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}

/** Whether an address stands for all that a machine has. */
function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "[::]";
}

/** Whether who came by `here` came to a daemon that listens at `host`. */
function leadsTo(here: string, host: string): boolean {
  return here === host || isWildcard(host) || (isLoopback(here) && isLoopback(host));
}

/**
 * Where the page has to go when the daemon serves at `url` from now on; undefined where it stays. It goes only where it
 * came to the daemon by the address that the daemon itself had before: behind a tunnel or a proxy nothing has moved.
 * The name by which the page was opened stays where it leads to the new address too.
 */
export function movedTo(here: URL, before: string, url: string): string | undefined {
  const old = new URL(before);
  const next = new URL(url);
  const isDirect = here.port === old.port && leadsTo(here.hostname, old.hostname);
  if (!isDirect || next.origin === old.origin) return undefined;
  if (leadsTo(here.hostname, next.hostname)) next.hostname = here.hostname;
  return `${next.origin}/${here.hash}`;
}
