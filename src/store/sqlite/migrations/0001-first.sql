-- Times are milliseconds since the Unix epoch. `n` is the order in which rows were made.
CREATE TABLE sessions (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  title TEXT,
  system TEXT,
  labels TEXT NOT NULL,
  provider TEXT,
  model TEXT,
  mode TEXT,
  turns INTEGER NOT NULL DEFAULT 0,
  last_input_tokens INTEGER,
  epoch INTEGER NOT NULL DEFAULT 1,
  context_from INTEGER NOT NULL DEFAULT 1,
  next_seq INTEGER NOT NULL DEFAULT 1,
  pending INTEGER NOT NULL DEFAULT 0,
  -- What its last turn that ended well ran under: where it may go back to.
  proven TEXT,
  created_at INTEGER NOT NULL,
  last_activity_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_with_pending ON sessions (n, pending) WHERE pending > 0;

CREATE TABLE messages (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  session TEXT NOT NULL,
  seq INTEGER NOT NULL,
  content TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'done', 'failed', 'cancelled')),
  attempts INTEGER NOT NULL DEFAULT 0,
  reply TEXT,
  finish TEXT,
  error TEXT,
  provider TEXT,
  model TEXT,
  revision INTEGER,
  fallback_from TEXT,
  input_tokens INTEGER,
  output_tokens INTEGER,
  is_estimated INTEGER NOT NULL DEFAULT 0,
  replied_by TEXT,
  retry_of TEXT,
  epoch INTEGER,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  retry_at INTEGER,
  crashes INTEGER NOT NULL DEFAULT 0,
  is_overflowed INTEGER NOT NULL DEFAULT 0,
  -- It was in a batch that did not count: it is taken alone.
  is_alone INTEGER NOT NULL DEFAULT 0,
  lease_boot TEXT,
  lease_generator TEXT,
  UNIQUE (session, seq)
) STRICT;
-- The claim: its cost does not grow with the backlog.
CREATE INDEX messages_pending ON messages (session, seq) WHERE status = 'pending';
-- What has not ended, or not well, over all sessions, in order. What is done is in none of them.
CREATE INDEX messages_waiting ON messages (n) WHERE status = 'pending';
CREATE INDEX messages_running ON messages (n) WHERE status = 'running';
CREATE INDEX messages_failed ON messages (n) WHERE status = 'failed';

CREATE TABLE idempotency (
  session TEXT NOT NULL,
  key TEXT NOT NULL,
  hash TEXT NOT NULL,
  messages TEXT NOT NULL,
  PRIMARY KEY (session, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  session TEXT,
  data TEXT NOT NULL
) STRICT;

-- One row a UTC day, for the budget and the totals.
CREATE TABLE days (
  day INTEGER PRIMARY KEY,
  turns INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  last_turn_at INTEGER NOT NULL
) STRICT;

CREATE TABLE revisions (
  revision INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  source TEXT NOT NULL,
  changed_keys TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  text TEXT
) STRICT;

-- What the guard and the gate know of endpoints, keys and models, by hash: no key stands here.
CREATE TABLE proven (
  identity TEXT PRIMARY KEY,
  provider TEXT NOT NULL,
  kind TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE holds (
  identity TEXT PRIMARY KEY,
  provider TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  reason TEXT NOT NULL,
  since INTEGER NOT NULL,
  step INTEGER NOT NULL,
  try_at INTEGER,
  goes_back INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE parks (
  scope TEXT PRIMARY KEY,
  provider TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT,
  reason TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER NOT NULL,
  step INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the daemon has to say to a session; it goes along with the next turn, whose first message is then named.
CREATE TABLE notes (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  session TEXT NOT NULL,
  at INTEGER NOT NULL,
  text TEXT NOT NULL,
  message TEXT
) STRICT;
CREATE INDEX notes_of_session ON notes (session, n);
CREATE INDEX notes_pending ON notes (session) WHERE message IS NULL;
