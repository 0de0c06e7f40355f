-- Since when a message can be read at check-in; null if its protocol does not hold it for that.
ALTER TABLE dispatch ADD COLUMN held_since INTEGER;
CREATE INDEX dispatch_held ON dispatch (account, held_since) WHERE held_since IS NOT NULL AND closed_at IS NULL;

-- PINs by which a client's people check in, as keyed hashes: within an account each is one person's, or the account's own.
CREATE TABLE pin (
    account TEXT NOT NULL REFERENCES account (id),
    pin_index TEXT NOT NULL,
    -- None: all of the account's people share it.
    contact TEXT REFERENCES contact (id),
    set_by TEXT NOT NULL REFERENCES users (id),
    set_at INTEGER NOT NULL,
    PRIMARY KEY (account, pin_index)
) STRICT;

-- PINs that were nobody's, for as long as they count against further ones.
CREATE TABLE wrong_pin (
    account TEXT NOT NULL REFERENCES account (id),
    -- Null: the caller showed no number.
    caller_index TEXT,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX wrong_pin_account ON wrong_pin (account, at);
