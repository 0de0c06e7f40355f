-- What a status greeting says (JSON, sealed); null: somebody spoke it in, and nobody wrote it.
ALTER TABLE status_greeting ADD COLUMN sealed BYTEA;
