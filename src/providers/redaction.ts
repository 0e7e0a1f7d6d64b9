/** Takes secrets out of a text. */
export type Redact = (text: string) => string;

const mask = "••••";

/**
 * Takes a key and `user:password` out of what a server says, as they are and as they go over the wire: it must
 * happen before the text is cut, or half of a secret would stay.
 */
export function redactionOf(key: string | undefined, userInfo: string | undefined): Redact {
  const secrets = [key, userInfo, userInfo && basicCredentials(userInfo), userInfo?.replace(/^[^:]*:/, "")]
    .flatMap((secret) =>
      secret === undefined ? [] : [secret, secret.trim(), encodeURIComponent(secret.toWellFormed())],
    )
    .filter((secret) => secret !== "")
    .toSorted((one, other) => other.length - one.length);
  return (text) => secrets.reduce((left, secret) => left.replaceAll(secret, mask), text);
}

/** The credentials of HTTP Basic (RFC 7617, in UTF-8). */
export function basicCredentials(userInfo: string): string {
  return Buffer.from(userInfo, "utf8").toString("base64");
}
