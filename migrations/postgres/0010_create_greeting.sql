-- Recordings that an account's people have spoken in, to be chosen as greetings.
CREATE TABLE account_recording (
    account TEXT NOT NULL REFERENCES account (id),
    recording TEXT NOT NULL,
    millis BIGINT NOT NULL,
    made_by TEXT NOT NULL REFERENCES users (id),
    made_at BIGINT NOT NULL,
    PRIMARY KEY (account, recording)
);

-- What callers of an account hear before its greeting, by word of a client's person at a check-in.
CREATE TABLE status_greeting (
    account TEXT NOT NULL REFERENCES account (id),
    made_at BIGINT NOT NULL,
    recording TEXT NOT NULL,
    made_by TEXT NOT NULL,
    -- None: until somebody takes it down.
    until_at BIGINT,
    ended_by TEXT,
    ended_at BIGINT,
    PRIMARY KEY (account, made_at)
);
CREATE UNIQUE INDEX status_greeting_in_force ON status_greeting (account) WHERE ended_at IS NULL;

-- The answer phrase of an account in an operator's own voice.
CREATE TABLE answer_phrase (
    account TEXT NOT NULL REFERENCES account (id),
    operator TEXT NOT NULL REFERENCES users (id),
    recording TEXT NOT NULL,
    millis BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (account, operator)
);
