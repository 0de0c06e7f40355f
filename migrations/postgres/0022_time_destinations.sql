-- When a destination is used (JSON, windows of the week); null: at any hour.
ALTER TABLE destination ADD COLUMN hours TEXT;
-- The language somebody is best spoken with (BCP 47), and the zone of their hours; null: the service's, the account's.
ALTER TABLE contact ADD COLUMN language TEXT;
ALTER TABLE contact ADD COLUMN zone TEXT;
