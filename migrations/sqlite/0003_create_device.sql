-- Desk phones of operators. A removed one is gone: nothing of it is needed afterwards.

CREATE TABLE device (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    -- What it registers as.
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- What its secret is checked with: a hash for each algorithm. Never the secret.
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX device_user ON device (user_id);
