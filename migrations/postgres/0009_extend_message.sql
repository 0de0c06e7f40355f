-- What of a call type can be found in a form, a JSON list.
ALTER TABLE call_type ADD COLUMN watched TEXT NOT NULL DEFAULT '[]';

-- Which edition of it a message is, and who made it.
ALTER TABLE message ADD COLUMN edition BIGINT NOT NULL DEFAULT 1;
ALTER TABLE message ADD COLUMN changed_by TEXT REFERENCES users (id);
ALTER TABLE message ADD COLUMN changed_at BIGINT;
-- Taken as urgent without a trigger (raised), or with one and not as urgent (lowered). Why is sealed with the answers.
ALTER TABLE message ADD COLUMN graded TEXT;
CREATE INDEX message_graded ON message (graded, id) WHERE graded IS NOT NULL;

-- Messages as they were before they were changed.
CREATE TABLE message_edition (
    message TEXT NOT NULL REFERENCES message (id),
    edition BIGINT NOT NULL,
    call_type TEXT NOT NULL REFERENCES call_type (id),
    urgency TEXT NOT NULL,
    changed_by TEXT REFERENCES users (id),
    changed_at BIGINT,
    form TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (message, edition)
);

-- Short lines about an account for whoever answers for it: closed today, the doctor runs late.
CREATE TABLE status_line (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    sealed BYTEA NOT NULL,
    made_by TEXT NOT NULL REFERENCES users (id),
    made_at BIGINT NOT NULL,
    -- None: until somebody takes it down.
    until_at BIGINT,
    ended_by TEXT REFERENCES users (id),
    ended_at BIGINT
);
CREATE INDEX status_line_account ON status_line (account, made_at) WHERE ended_at IS NULL;
