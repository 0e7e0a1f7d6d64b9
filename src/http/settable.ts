import { SegueError } from "../core/errors.ts";

/** Where a request without a token could make the daemon run a program, carry a key elsewhere or move. */
const guarded = [/^providers\.[^\0]+\.(argv|baseUrl)$/s, /^server(\.|$)/];

/** A whole value that is read from the environment or from a file (contract section 2). */
const reference = /^(\$[A-Za-z_][A-Za-z0-9_]*$|file:)/;

/**
 * Throws `token_required` where settings name what may not be set over TCP without a token: the program of a
 * provider, its base URL, anything of the server, and any reference, whatever its value (contract section 5, "Access").
 */
export function requireSettable(settings: Readonly<Record<string, unknown>>): void {
  const found = guardedIn(settings, "");
  if (found === undefined) return;
  throw new SegueError("token_required", `${found} cannot be set over TCP without a token`, {
    hint: "set it in the settings file or with `segue set` on this machine, or set server.token",
  });
}

function guardedIn(value: unknown, path: string): string | undefined {
  if (guarded.some((pattern) => pattern.test(path))) return path;
  if (typeof value === "string")
    return reference.test(value) ? `${path || "this"}, by reference,` : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, item] of Object.entries(value)) {
    const found = guardedIn(item, path === "" ? name : `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
