-- Whose inbox holds a message: the contact, on secure messages and on their notices.
ALTER TABLE attempt ADD COLUMN inbox TEXT;
CREATE INDEX attempt_inbox ON attempt (inbox, id) WHERE inbox IS NOT NULL;

-- The key that pushes are signed with (VAPID, RFC 8292). One row: each subscription was made for it and takes no other.
CREATE TABLE push_key (
    id INTEGER PRIMARY KEY,
    made_at INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

-- Devices on which somebody has opened their inbox by an invitation.
CREATE TABLE inbox_device (
    id TEXT PRIMARY KEY,
    contact TEXT NOT NULL REFERENCES contact (id),
    -- Of the token that the device keeps. It opens nothing without the PIN.
    token_hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    -- Where pushes to it go and what they are encrypted for; null: it takes none.
    subscription BLOB,
    -- The push service says that there is no such subscription any more.
    gone_at INTEGER
) STRICT;
CREATE INDEX inbox_device_contact ON inbox_device (contact);

-- Links that lead to one person's inbox, after their PIN.
CREATE TABLE inbox_link (
    token_hash TEXT PRIMARY KEY,
    contact TEXT NOT NULL REFERENCES contact (id),
    -- 'invitation' or 'notice'.
    purpose TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX inbox_link_contact ON inbox_link (contact, purpose);

-- Inboxes that are open now.
CREATE TABLE inbox_session (
    token_hash TEXT PRIMARY KEY,
    contact TEXT NOT NULL REFERENCES contact (id),
    -- Null: opened by a notice's link.
    device TEXT REFERENCES inbox_device (id),
    opened_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX inbox_session_contact ON inbox_session (contact);

-- Messages of this type leave in writing as notices alone.
ALTER TABLE call_type ADD COLUMN protected INTEGER NOT NULL DEFAULT 0;
