-- Calls that operators make for dispatches, one row for each such attempt, written with it.
CREATE TABLE job (
    attempt TEXT PRIMARY KEY,
    dispatch TEXT NOT NULL REFERENCES dispatch (id),
    message TEXT NOT NULL REFERENCES message (id),
    account TEXT NOT NULL REFERENCES account (id),
    offered_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    -- The lock: who has it, and since when.
    taken_by TEXT,
    taken_at INTEGER,
    ended_at INTEGER,
    outcome TEXT
) STRICT;
CREATE INDEX job_open ON job (offered_at) WHERE ended_at IS NULL;
