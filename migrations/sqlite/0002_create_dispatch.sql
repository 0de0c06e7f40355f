-- Dispatches: what runs, its steps and attempts, when it wakes, its codes, what came in, its history.
-- Types as in 0001: INTEGER (also times in UTC ms and booleans 0/1), TEXT (also JSON), BLOB. The same
-- names stand in migrations/postgres.

CREATE TABLE dispatch (
    id TEXT PRIMARY KEY,
    message TEXT NOT NULL UNIQUE REFERENCES message (id),
    account TEXT NOT NULL REFERENCES account (id),
    state TEXT NOT NULL,
    needs_operator INTEGER NOT NULL,
    open_at INTEGER NOT NULL,
    closed_at INTEGER,
    on_call TEXT,
    -- Counts changes: whoever writes must have read the latest.
    gen INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX dispatch_open ON dispatch (id) WHERE closed_at IS NULL;
CREATE INDEX dispatch_on_call ON dispatch (on_call) WHERE on_call IS NOT NULL;

CREATE TABLE step_run (
    dispatch TEXT NOT NULL REFERENCES dispatch (id),
    n INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    round INTEGER NOT NULL,
    step INTEGER NOT NULL,
    state TEXT NOT NULL,
    entered_at INTEGER NOT NULL,
    wait_from INTEGER,
    ended_at INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (dispatch, n)
) STRICT;

-- An attempt's id is its idempotency key: it goes to the provider as reference, Message-ID or Call-ID.
CREATE TABLE attempt (
    dispatch TEXT NOT NULL REFERENCES dispatch (id),
    n INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    -- The node that has it with its provider now; null when none has.
    owner TEXT,
    provider_id TEXT,
    handed_at INTEGER,
    accepted_at INTEGER,
    delivered_at INTEGER,
    told_at INTEGER,
    confirmed_at INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (dispatch, n)
) STRICT;
CREATE INDEX attempt_in_flight ON attempt (owner) WHERE owner IS NOT NULL;
CREATE INDEX attempt_provider ON attempt (provider_id) WHERE provider_id IS NOT NULL;

-- One row for each dispatch that has a time to wake at.
CREATE TABLE timer (
    dispatch TEXT PRIMARY KEY REFERENCES dispatch (id),
    due_at INTEGER NOT NULL,
    gen INTEGER NOT NULL,
    owner TEXT,
    lease_until INTEGER
) STRICT;
CREATE INDEX timer_due ON timer (due_at);

CREATE TABLE confirm_code (
    number TEXT NOT NULL,
    code INTEGER NOT NULL,
    dispatch TEXT NOT NULL REFERENCES dispatch (id),
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    -- Null while it confirms something; then the end of its quarantine.
    reusable_at INTEGER,
    PRIMARY KEY (number, code)
) STRICT;
CREATE INDEX confirm_code_dispatch ON confirm_code (dispatch);

-- What came in from outside, stored before anything is done about it; the key absorbs repeats.
CREATE TABLE inbound (
    provider TEXT NOT NULL,
    provider_msg_id TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    sender_index TEXT,
    sealed BLOB NOT NULL,
    handled_at INTEGER,
    outcome TEXT,
    PRIMARY KEY (provider, provider_msg_id)
) STRICT;
CREATE INDEX inbound_waiting ON inbound (received_at) WHERE handled_at IS NULL;
CREATE INDEX inbound_sender ON inbound (sender_index, handled_at);

CREATE TABLE dispatch_event (
    dispatch TEXT NOT NULL REFERENCES dispatch (id),
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (dispatch, seq)
) STRICT;

-- Nodes that are alive; what a node had in flight when it vanished is taken up by the others.
CREATE TABLE node (
    name TEXT PRIMARY KEY,
    boot TEXT NOT NULL,
    beat_at INTEGER NOT NULL
) STRICT;

-- A call's messages: a patch on the call ends their dispatches.
CREATE INDEX message_call ON message (call) WHERE call IS NOT NULL;
