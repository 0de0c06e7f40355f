-- Clients, people, calls, messages. Types: BIGINT (also times in UTC ms and booleans 0/1), TEXT (also
-- JSON) and BYTEA. The same names stand in migrations/sqlite.
-- Identifiers that are paged by are compared byte by byte, as SQLite does.

CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE account (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    zone TEXT NOT NULL,
    color TEXT NOT NULL,
    answer_phrase TEXT NOT NULL,
    notes TEXT NOT NULL,
    settings TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE did (
    number TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    position BIGINT NOT NULL
);
CREATE INDEX did_account ON did (account);

CREATE TABLE protocol (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (account, name, version)
);

CREATE TABLE call_type (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    urgency TEXT NOT NULL,
    triggers TEXT NOT NULL,
    form TEXT NOT NULL,
    protocol TEXT REFERENCES protocol (id) DEFERRABLE INITIALLY DEFERRED,
    retired_at BIGINT
);
CREATE INDEX call_type_account ON call_type (account);

CREATE TABLE contact (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    title TEXT NOT NULL
);
CREATE INDEX contact_account ON contact (account);

CREATE TABLE destination (
    id TEXT PRIMARY KEY,
    contact TEXT NOT NULL REFERENCES contact (id),
    position BIGINT NOT NULL,
    label TEXT NOT NULL,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    ring_secs BIGINT NOT NULL,
    blocked BIGINT NOT NULL,
    UNIQUE (contact, label)
);
CREATE INDEX destination_address ON destination (address);

CREATE TABLE schedule (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    role TEXT NOT NULL,
    zone TEXT NOT NULL,
    rotation TEXT,
    fallback TEXT REFERENCES contact (id),
    UNIQUE (account, role)
);

CREATE TABLE schedule_override (
    schedule TEXT NOT NULL REFERENCES schedule (id),
    contact TEXT NOT NULL REFERENCES contact (id),
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL
);
CREATE INDEX schedule_override_schedule ON schedule_override (schedule, from_at);

-- "users": `user` is a reserved word in PostgreSQL.
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE session (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    revoked_why TEXT
);
CREATE INDEX session_of_user ON session (user_id);

CREATE TABLE session_token (
    hash TEXT PRIMARY KEY,
    session TEXT NOT NULL REFERENCES session (id),
    issued_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX session_token_session ON session_token (session);

CREATE TABLE call (
    id TEXT COLLATE "C" PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    direction TEXT NOT NULL,
    trunk TEXT NOT NULL,
    did TEXT,
    remote TEXT,
    forwarded_from TEXT,
    started_at BIGINT NOT NULL,
    answered_at BIGINT,
    ended_at BIGINT,
    outcome TEXT,
    cause TEXT,
    operator TEXT REFERENCES users (id)
);
CREATE INDEX call_account ON call (account, id);
CREATE INDEX call_open ON call (started_at) WHERE ended_at IS NULL;

CREATE TABLE call_event (
    call TEXT NOT NULL REFERENCES call (id),
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (call, seq)
);

CREATE TABLE message (
    id TEXT COLLATE "C" PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    call_type TEXT NOT NULL REFERENCES call_type (id),
    call TEXT,
    caller_index TEXT,
    urgency TEXT NOT NULL,
    taken_by TEXT REFERENCES users (id),
    taken_at BIGINT NOT NULL,
    form TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    withdrawn_at BIGINT
);
CREATE INDEX message_account ON message (account, id);
CREATE INDEX message_caller ON message (caller_index, id);

CREATE TABLE draft (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES users (id),
    account TEXT NOT NULL REFERENCES account (id),
    call_type TEXT,
    call TEXT,
    saved_at BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    message TEXT REFERENCES message (id)
);
CREATE INDEX draft_owner ON draft (owner, saved_at);
CREATE INDEX draft_message ON draft (message);

CREATE TABLE idempotency (
    scope TEXT NOT NULL,
    request_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    response TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (scope, request_key)
);
CREATE INDEX idempotency_created ON idempotency (created_at);
