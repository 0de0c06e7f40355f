-- Who read, heard or changed what, as a chain: each row names the one before by its keyed hash.
CREATE TABLE audit (
    number BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    -- An identifier, or one of a few words.
    who TEXT NOT NULL,
    act TEXT NOT NULL,
    -- The identifier of what it was done to; empty if there is none.
    object TEXT NOT NULL,
    before BYTEA NOT NULL,
    hash BYTEA NOT NULL
);
CREATE INDEX audit_object ON audit (object, number);
CREATE INDEX audit_who ON audit (who, number);
CREATE INDEX audit_act ON audit (act, number);
CREATE INDEX audit_at ON audit (at);

-- Where the chain ends ('head'), and where it was cut off when old rows were deleted ('cut'), sealed with a key outside the database.
CREATE TABLE audit_mark (
    name TEXT PRIMARY KEY,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    seal BYTEA NOT NULL
);
INSERT INTO audit_mark (name, number, at, hash, seal) VALUES ('head', 0, 0, '', '');
