-- Schedules of layers. `rotation` is the one layer of a schedule that was written before there were any (`layers` is NULL then).
ALTER TABLE schedule ADD COLUMN layers TEXT;
ALTER TABLE schedule ADD COLUMN temporary TEXT NOT NULL DEFAULT '[]';
-- People of schedules that were there before are not suddenly told of their shifts.
ALTER TABLE schedule ADD COLUMN remind BIGINT NOT NULL DEFAULT 0;

ALTER TABLE schedule_override ADD COLUMN id TEXT;
ALTER TABLE schedule_override ADD COLUMN kind TEXT NOT NULL DEFAULT 'only';
-- Whom it replaces: no reference, as whoever is gone may have been replaced once.
ALTER TABLE schedule_override ADD COLUMN instead_of TEXT;
ALTER TABLE schedule_override ADD COLUMN note TEXT NOT NULL DEFAULT '';
UPDATE schedule_override SET id = 'ovr_' || md5(random()::text || clock_timestamp()::text);

-- Who changed what: in words, and as it was, so that it can be taken back. A schedule that was removed keeps its history.
CREATE TABLE schedule_change (
    account TEXT NOT NULL REFERENCES account (id),
    seq BIGINT NOT NULL,
    schedule TEXT NOT NULL,
    role TEXT NOT NULL,
    at BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    lines TEXT NOT NULL,
    was TEXT,
    became TEXT,
    undoes BIGINT,
    PRIMARY KEY (account, seq)
);
CREATE INDEX schedule_change_schedule ON schedule_change (schedule, seq);

-- Calendars for other programs; the token itself is nowhere.
CREATE TABLE schedule_feed (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    schedule TEXT,
    contact TEXT,
    token_hash TEXT NOT NULL UNIQUE,
    made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    last_read_at BIGINT
);
CREATE INDEX schedule_feed_account ON schedule_feed (account);

-- What people are told of schedules, reminders of shifts and warnings of gaps: one row each, written before it is sent.
CREATE TABLE shift_notice (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    attempt TEXT NOT NULL,
    notice TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    next_at BIGINT,
    outcome TEXT
);
CREATE INDEX shift_notice_next ON shift_notice (next_at);
CREATE INDEX shift_notice_made ON shift_notice (made_at);
