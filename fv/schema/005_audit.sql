-- Append-only. Each row is chained to the one before by its hash, and sealed with a key that is not in here.
CREATE TABLE audit (
    number BIGINT NOT NULL PRIMARY KEY CHECK (number > 0),  -- 1, 2, 3, … over all accounts
    id TEXT NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    account_id TEXT,                       -- no reference: the trail outlives the account
    actor TEXT NOT NULL,                   -- holder, support, stranger, service
    event TEXT NOT NULL,
    facts TEXT NOT NULL,                   -- a JSON object of ids, numbers and our own words
    hash TEXT NOT NULL,
    seal TEXT NOT NULL
);
CREATE INDEX audit_by_account ON audit (account_id, number);
