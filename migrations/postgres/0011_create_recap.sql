-- When an account's messages are reported on and to whom, as JSON.
CREATE TABLE recap_plan (
    account TEXT PRIMARY KEY REFERENCES account (id),
    plan TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    -- Since when the account gets recaps at all: what was taken before is in none.
    since_at BIGINT NOT NULL
);

-- The reports: one for each account, date and time. What is in one and to whom it goes is sealed.
CREATE TABLE recap (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    slot TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    -- When an email of it is to be sent next; null: nothing more will be done for it.
    wake_at BIGINT,
    -- Whoever sends it now has it until then.
    lease_until BIGINT NOT NULL DEFAULT 0,
    sealed BYTEA NOT NULL,
    UNIQUE (account, slot)
);
CREATE INDEX recap_open ON recap (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX recap_of_account ON recap (account, due_at);

-- Which recap a message was reported on in.
CREATE TABLE recap_message (
    message TEXT PRIMARY KEY REFERENCES message (id),
    recap TEXT NOT NULL REFERENCES recap (id)
);
