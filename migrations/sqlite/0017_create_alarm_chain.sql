-- The alarm chain: which alarms stand, who was told of them and who sees to them. One row from the first alarm until none stands.
CREATE TABLE alarm_chain (
    id TEXT PRIMARY KEY,
    begun_at INTEGER NOT NULL,
    ended_at INTEGER,
    -- 1 while it is not over, then null: there is one at a time.
    standing INTEGER UNIQUE,
    -- Counts changes: whoever writes must have read the latest.
    gen INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
