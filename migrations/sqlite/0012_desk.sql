-- The short number by which colleagues dial a desk phone.
ALTER TABLE device ADD COLUMN extension TEXT;
CREATE UNIQUE INDEX device_extension ON device (extension) WHERE extension IS NOT NULL;

-- Calls between two operators: no account is behind them, and nothing of them is recorded.
CREATE TABLE inner_call (
    id TEXT PRIMARY KEY,
    by_user TEXT NOT NULL REFERENCES users (id),
    to_user TEXT NOT NULL REFERENCES users (id),
    started_at INTEGER NOT NULL,
    answered_at INTEGER,
    ended_at INTEGER,
    cause TEXT
) STRICT;
