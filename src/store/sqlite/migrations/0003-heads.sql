-- Where the pending messages of a session begin: none has a lower `seq`. The claim finds the first of them from there,
-- by the index that lists a session's messages. It had an index of its own, which every message went into and out of:
-- half of all pages that were written to accept one.
ALTER TABLE sessions ADD COLUMN head_seq INTEGER NOT NULL DEFAULT 1;
UPDATE sessions SET head_seq = next_seq WHERE pending = 0;
UPDATE sessions SET head_seq = coalesce(
  (SELECT min(seq) FROM messages INDEXED BY messages_pending WHERE session = sessions.id AND status = 'pending'), 1)
WHERE pending > 0;
DROP INDEX messages_pending;
