-- Messages that callers speak to nobody: from the tone on each is a row, which is settled when its message is saved.

CREATE TABLE voicemail (
    call TEXT PRIMARY KEY REFERENCES call (id),
    -- What its message is taken as. It may be retired, or gone, by then.
    call_type TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- The caller said something.
    heard BIGINT,
    settled_at BIGINT,
    -- None, though settled: nothing was said.
    message TEXT REFERENCES message (id)
);
CREATE INDEX voicemail_open ON voicemail (begun_at) WHERE settled_at IS NULL;
