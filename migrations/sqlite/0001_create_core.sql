-- Clients, people, calls, messages. Types: INTEGER (also times in UTC ms and booleans 0/1), TEXT (also
-- JSON) and BLOB. The same names stand in migrations/postgres.

CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE account (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    zone TEXT NOT NULL,
    color TEXT NOT NULL,
    answer_phrase TEXT NOT NULL,
    notes TEXT NOT NULL,
    settings TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE did (
    number TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX did_account ON did (account);

CREATE TABLE protocol (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (account, name, version)
) STRICT;

CREATE TABLE call_type (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    urgency TEXT NOT NULL,
    triggers TEXT NOT NULL,
    form TEXT NOT NULL,
    protocol TEXT REFERENCES protocol (id) DEFERRABLE INITIALLY DEFERRED,
    retired_at INTEGER
) STRICT;
CREATE INDEX call_type_account ON call_type (account);

CREATE TABLE contact (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    title TEXT NOT NULL
) STRICT;
CREATE INDEX contact_account ON contact (account);

CREATE TABLE destination (
    id TEXT PRIMARY KEY,
    contact TEXT NOT NULL REFERENCES contact (id),
    position INTEGER NOT NULL,
    label TEXT NOT NULL,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    ring_secs INTEGER NOT NULL,
    blocked INTEGER NOT NULL,
    UNIQUE (contact, label)
) STRICT;
CREATE INDEX destination_address ON destination (address);

CREATE TABLE schedule (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    role TEXT NOT NULL,
    zone TEXT NOT NULL,
    rotation TEXT,
    fallback TEXT REFERENCES contact (id),
    UNIQUE (account, role)
) STRICT;

CREATE TABLE schedule_override (
    schedule TEXT NOT NULL REFERENCES schedule (id),
    contact TEXT NOT NULL REFERENCES contact (id),
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;
CREATE INDEX schedule_override_schedule ON schedule_override (schedule, from_at);

-- "users": `user` is a reserved word in PostgreSQL.
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT;

CREATE TABLE session (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    revoked_why TEXT
) STRICT;
CREATE INDEX session_of_user ON session (user_id);

CREATE TABLE session_token (
    hash TEXT PRIMARY KEY,
    session TEXT NOT NULL REFERENCES session (id),
    issued_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX session_token_session ON session_token (session);

CREATE TABLE call (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    direction TEXT NOT NULL,
    trunk TEXT NOT NULL,
    did TEXT,
    remote TEXT,
    forwarded_from TEXT,
    started_at INTEGER NOT NULL,
    answered_at INTEGER,
    ended_at INTEGER,
    outcome TEXT,
    cause TEXT,
    operator TEXT REFERENCES users (id)
) STRICT;
CREATE INDEX call_account ON call (account, id);
CREATE INDEX call_open ON call (started_at) WHERE ended_at IS NULL;

CREATE TABLE call_event (
    call TEXT NOT NULL REFERENCES call (id),
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (call, seq)
) STRICT;

CREATE TABLE message (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    call_type TEXT NOT NULL REFERENCES call_type (id),
    call TEXT,
    caller_index TEXT,
    urgency TEXT NOT NULL,
    taken_by TEXT REFERENCES users (id),
    taken_at INTEGER NOT NULL,
    form TEXT NOT NULL,
    sealed BLOB NOT NULL,
    withdrawn_at INTEGER
) STRICT;
CREATE INDEX message_account ON message (account, id);
CREATE INDEX message_caller ON message (caller_index, id);

CREATE TABLE draft (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES users (id),
    account TEXT NOT NULL REFERENCES account (id),
    call_type TEXT,
    call TEXT,
    saved_at INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    message TEXT REFERENCES message (id)
) STRICT;
CREATE INDEX draft_owner ON draft (owner, saved_at);
CREATE INDEX draft_message ON draft (message);

CREATE TABLE idempotency (
    scope TEXT NOT NULL,
    request_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    response TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (scope, request_key)
) STRICT;
CREATE INDEX idempotency_created ON idempotency (created_at);
