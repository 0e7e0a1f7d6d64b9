/** SQLite's primary result codes (sqlite.org/rescode.html) that the program tells apart, and the text of each there. */
const known = [
  { number: 5, name: "SQLITE_BUSY", text: "database is locked" },
  { number: 8, name: "SQLITE_READONLY", text: "attempt to write a readonly database" },
  { number: 11, name: "SQLITE_CORRUPT", text: "database disk image is malformed" },
  { number: 13, name: "SQLITE_FULL", text: "database or disk is full" },
  { number: 26, name: "SQLITE_NOTADB", text: "file is not a database" },
] as const;

/**
 * The same fault with SQLite's own name as its `code`, as `Database` promises. Deno gives the number for statements
 * alone, and only the text for what is executed at once (Deno 2.9.6, measured).
 */
export function namedFault(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || !("code" in thrown) || thrown.code !== "ERR_SQLITE_ERROR") return thrown;
  const number =
    "errcode" in thrown && typeof thrown.errcode === "number" ? thrown.errcode & 0xff : undefined;
  const found = known.find((fault) =>
    number === undefined ? thrown.message.startsWith(fault.text) : fault.number === number,
  );
  return Object.assign(thrown, { code: found?.name ?? "SQLITE_ERROR" });
}
