-- 1: of something urgent, which is served before the rest of what is due.
ALTER TABLE timer ADD COLUMN urgent BIGINT NOT NULL DEFAULT 0;
