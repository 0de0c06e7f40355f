-- Who wrote a version of a protocol; null: nobody with a log-in (the demo, a file).
ALTER TABLE protocol ADD COLUMN made_by TEXT REFERENCES users (id);
-- The version that it brings back, where it is one of before.
ALTER TABLE protocol ADD COLUMN brings_back INTEGER;
