import { Database } from "bun:sqlite";

/**
 * Two updates a turn, the claim and the end, in transactions of `GROUP` each, with the durability of Segue's default
 * and an index like its own: `bare-store FILE SESSIONS TURNS GROUP`. The messages are there before the time begins.
 * Prints how many milliseconds it took.
 */
const [, , file = "", ...numbers] = process.argv;
const [sessions = 0, turnsPerSession = 0, group = 1] = numbers.map(Number);
const text = "x".repeat(300);

const database = new Database(file, { create: true, strict: true });
database.run("PRAGMA journal_mode = WAL");
database.run("PRAGMA synchronous = FULL");
database.run(
  `CREATE TABLE messages (n INTEGER PRIMARY KEY, session INTEGER NOT NULL, seq INTEGER NOT NULL,
     status TEXT NOT NULL, content TEXT NOT NULL, reply TEXT) STRICT`,
);
database.run("CREATE INDEX pending ON messages (session, seq) WHERE status = 'pending'");

const insert = database.prepare(
  "INSERT INTO messages (session, seq, status, content) VALUES (?, ?, 'pending', ?)",
);
database.transaction(() => {
  for (let seq = 1; seq <= turnsPerSession; seq++)
    for (let session = 1; session <= sessions; session++) insert.run(session, seq, text);
})();

const claim = database.prepare(
  `UPDATE messages SET status = 'running' WHERE n =
     (SELECT n FROM messages INDEXED BY pending WHERE session = ? AND status = 'pending' ORDER BY seq LIMIT 1)
   RETURNING n`,
);
const end = database.prepare("UPDATE messages SET status = 'done', reply = ? WHERE n = ?");
const claimAll = database.transaction((from: number, to: number) => {
  const claimed: unknown[] = [];
  for (let session = from; session <= to; session++) claimed.push(...claim.values(session).flat());
  return claimed;
});
const endAll = database.transaction((claimed: readonly unknown[]) => {
  for (const n of claimed) end.run(text, Number(n));
});

const startedAt = performance.now();
for (let seq = 1; seq <= turnsPerSession; seq++)
  for (let from = 1; from <= sessions; from += group)
    endAll(claimAll(from, Math.min(from + group - 1, sessions)));
console.log(performance.now() - startedAt);
