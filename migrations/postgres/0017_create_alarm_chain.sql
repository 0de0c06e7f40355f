-- The alarm chain: which alarms stand, who was told of them and who sees to them. One row from the first alarm until none stands.
CREATE TABLE alarm_chain (
    id TEXT PRIMARY KEY,
    begun_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- 1 while it is not over, then null: there is one at a time.
    standing BIGINT UNIQUE,
    -- Counts changes: whoever writes must have read the latest.
    gen BIGINT NOT NULL,
    sealed BYTEA NOT NULL
);
