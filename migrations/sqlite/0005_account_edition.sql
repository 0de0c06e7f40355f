-- How often an account has been changed, with its contacts, call types and protocols: who edits says which
-- edition they saw, so that nobody overwrites what they have not seen.
ALTER TABLE account ADD COLUMN edition INTEGER NOT NULL DEFAULT 1;
