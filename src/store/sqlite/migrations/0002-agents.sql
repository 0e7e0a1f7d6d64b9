-- A message that asks for a summary: its reply is a memory of the project that its session is labelled with.
ALTER TABLE messages ADD COLUMN is_summary INTEGER NOT NULL DEFAULT 0;
CREATE INDEX messages_summaries ON messages (n) WHERE is_summary = 1 AND reply IS NOT NULL;
CREATE INDEX messages_summaries_of_session ON messages (session, n) WHERE is_summary = 1 AND reply IS NOT NULL;
CREATE INDEX sessions_of_project ON sessions (json_extract(labels, '$.project'));

-- Events of agents that become no message, by name.
CREATE TABLE agent_events (
  event TEXT PRIMARY KEY,
  count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
