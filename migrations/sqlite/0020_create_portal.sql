-- Clients' own log-ins: to which accounts each belongs, and what they may do there (JSON, a list of words).
CREATE TABLE client_account (
    user_id TEXT NOT NULL REFERENCES users (id),
    account TEXT NOT NULL REFERENCES account (id),
    rights TEXT NOT NULL,
    PRIMARY KEY (user_id, account)
) STRICT;
CREATE INDEX client_account_account ON client_account (account);

-- A code sent to a destination to see that it reaches its person; one at a time, the last one. What was shown to be reached stays
-- beside it, as long as the address (a keyed hash of it) is the same.
CREATE TABLE verification (
    destination TEXT PRIMARY KEY,
    contact TEXT NOT NULL,
    way TEXT,
    address_index TEXT,
    code_index TEXT,
    sent_at INTEGER,
    expires_at INTEGER,
    tries INTEGER NOT NULL DEFAULT 0,
    verified_at INTEGER,
    verified_way TEXT,
    verified_index TEXT
) STRICT;
CREATE INDEX verification_contact ON verification (contact);

-- Protocols as clients would have them: proposed, then approved or refused by the service, or withdrawn. Sealed: their words, and what
-- it does before and after in plain English.
CREATE TABLE protocol_change (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    proposed_by TEXT NOT NULL REFERENCES users (id),
    proposed_at INTEGER NOT NULL,
    protocol TEXT NOT NULL,
    -- The newest version of that name then; null: there was none.
    based_on TEXT REFERENCES protocol (id),
    state TEXT NOT NULL,
    decided_by TEXT REFERENCES users (id),
    decided_at INTEGER,
    version INTEGER,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX protocol_change_account ON protocol_change (account, id);
CREATE INDEX protocol_change_state ON protocol_change (state, id);

-- Who approved a version of a protocol that a client proposed; null: it was not proposed.
ALTER TABLE protocol ADD COLUMN approved_by TEXT REFERENCES users (id);

-- What clients approved of their accounts before these take calls in earnest. The last of a part counts; all stay. Sealed: who said so
-- by name, and what was approved.
CREATE TABLE approval (
    account TEXT NOT NULL REFERENCES account (id),
    part TEXT NOT NULL,
    n INTEGER NOT NULL,
    approved_by TEXT NOT NULL REFERENCES users (id),
    approved_at INTEGER NOT NULL,
    version TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (account, part, n)
) STRICT;

-- Accounts that were in service before approvals were kept: they are no drafts.
CREATE TABLE served_before (
    account TEXT PRIMARY KEY REFERENCES account (id)
) STRICT;
INSERT INTO served_before (account) SELECT id FROM account;

-- How a person's name is said by the voice engine; null: as it is written.
ALTER TABLE contact ADD COLUMN spoken_as TEXT;
