-- Dispatches: what runs, its steps and attempts, when it wakes, its codes, what came in, its history.
-- Types as in 0001: BIGINT (also times in UTC ms and booleans 0/1), TEXT (also JSON), BYTEA. The same
-- names stand in migrations/sqlite.

CREATE TABLE dispatch (
    id TEXT PRIMARY KEY,
    message TEXT NOT NULL UNIQUE REFERENCES message (id),
    account TEXT NOT NULL REFERENCES account (id),
    state TEXT NOT NULL,
    needs_operator BIGINT NOT NULL,
    open_at BIGINT NOT NULL,
    closed_at BIGINT,
    on_call TEXT,
    -- Counts changes: whoever writes must have read the latest.
    gen BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX dispatch_open ON dispatch (id) WHERE closed_at IS NULL;
CREATE INDEX dispatch_on_call ON dispatch (on_call) WHERE on_call IS NOT NULL;

CREATE TABLE step_run (
    dispatch TEXT NOT NULL REFERENCES dispatch (id),
    n BIGINT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    round BIGINT NOT NULL,
    step BIGINT NOT NULL,
    state TEXT NOT NULL,
    entered_at BIGINT NOT NULL,
    wait_from BIGINT,
    ended_at BIGINT,
    body TEXT NOT NULL,
    PRIMARY KEY (dispatch, n)
);

-- An attempt's id is its idempotency key: it goes to the provider as reference, Message-ID or Call-ID.
CREATE TABLE attempt (
    dispatch TEXT NOT NULL REFERENCES dispatch (id),
    n BIGINT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    -- The node that has it with its provider now; null when none has.
    owner TEXT,
    provider_id TEXT,
    handed_at BIGINT,
    accepted_at BIGINT,
    delivered_at BIGINT,
    told_at BIGINT,
    confirmed_at BIGINT,
    body TEXT NOT NULL,
    PRIMARY KEY (dispatch, n)
);
CREATE INDEX attempt_in_flight ON attempt (owner) WHERE owner IS NOT NULL;
CREATE INDEX attempt_provider ON attempt (provider_id) WHERE provider_id IS NOT NULL;

-- One row for each dispatch that has a time to wake at.
CREATE TABLE timer (
    dispatch TEXT PRIMARY KEY REFERENCES dispatch (id),
    due_at BIGINT NOT NULL,
    gen BIGINT NOT NULL,
    owner TEXT,
    lease_until BIGINT
);
CREATE INDEX timer_due ON timer (due_at);

CREATE TABLE confirm_code (
    number TEXT NOT NULL,
    code BIGINT NOT NULL,
    dispatch TEXT NOT NULL REFERENCES dispatch (id),
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    -- Null while it confirms something; then the end of its quarantine.
    reusable_at BIGINT,
    PRIMARY KEY (number, code)
);
CREATE INDEX confirm_code_dispatch ON confirm_code (dispatch);

-- What came in from outside, stored before anything is done about it; the key absorbs repeats.
CREATE TABLE inbound (
    provider TEXT NOT NULL,
    provider_msg_id TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    sender_index TEXT,
    sealed BYTEA NOT NULL,
    handled_at BIGINT,
    outcome TEXT,
    PRIMARY KEY (provider, provider_msg_id)
);
CREATE INDEX inbound_waiting ON inbound (received_at) WHERE handled_at IS NULL;
CREATE INDEX inbound_sender ON inbound (sender_index, handled_at);

CREATE TABLE dispatch_event (
    dispatch TEXT NOT NULL REFERENCES dispatch (id),
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (dispatch, seq)
);

-- Nodes that are alive; what a node had in flight when it vanished is taken up by the others.
CREATE TABLE node (
    name TEXT PRIMARY KEY,
    boot TEXT NOT NULL,
    beat_at BIGINT NOT NULL
);

-- A call's messages: a patch on the call ends their dispatches.
CREATE INDEX message_call ON message (call) WHERE call IS NOT NULL;
