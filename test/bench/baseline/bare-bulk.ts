import { Database } from "bun:sqlite";

/**
 * Rows of 300 bytes into SQLite, GROUP a transaction, with the durability of Segue's default and the index that lists
 * a session's messages: `bare-bulk FILE ROWS GROUP`. Prints how many milliseconds it took.
 */
const [, , file = "", ...numbers] = process.argv;
const [rows = 0, group = 1] = numbers.map(Number);
const text = "x".repeat(300);

const database = new Database(file, { create: true, strict: true });
database.run("PRAGMA journal_mode = WAL");
database.run("PRAGMA synchronous = FULL");
database.run(
  `CREATE TABLE messages (n INTEGER PRIMARY KEY, session TEXT NOT NULL, seq INTEGER NOT NULL, content TEXT NOT NULL,
     UNIQUE (session, seq)) STRICT`,
);
const insert = database.prepare("INSERT INTO messages (session, seq, content) VALUES (?, ?, ?)");
const insertGroup = database.transaction((from: number) => {
  for (let seq = from; seq < from + group; seq++) insert.run("bench", seq, text);
});

const startedAt = performance.now();
for (let from = 1; from <= rows; from += group) insertGroup(from);
console.log(performance.now() - startedAt);
