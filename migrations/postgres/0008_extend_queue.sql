-- What operators can do for callers, a JSON list of words.
ALTER TABLE users ADD COLUMN skills TEXT NOT NULL DEFAULT '[]';
