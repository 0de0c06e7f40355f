-- What operators can do for callers, a JSON list of words.
ALTER TABLE users ADD COLUMN skills TEXT NOT NULL DEFAULT '[]';

-- Callers who were promised to be called back. Written before the promise is spoken; the row of the call may come later.
CREATE TABLE callback (
    -- The call in which it was promised.
    call TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    did TEXT NOT NULL,
    number TEXT NOT NULL,
    priority INTEGER NOT NULL,
    -- A JSON list of words.
    skills TEXT NOT NULL,
    since INTEGER NOT NULL,
    promised_at INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT,
    operator TEXT REFERENCES users (id)
) STRICT;
CREATE INDEX callback_open ON callback (since) WHERE ended_at IS NULL;

-- A form that was begun and not finished is looked for by its call.
CREATE INDEX draft_call ON draft (call);
