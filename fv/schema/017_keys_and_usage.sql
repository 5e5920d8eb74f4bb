-- A key whose place another one has taken works on until its grace ends.
ALTER TABLE api_keys ADD COLUMN retires_at BIGINT;  -- NULL: no other key has taken its place
ALTER TABLE api_keys ADD COLUMN used_from TEXT;     -- the network it was last used from

-- The key that a session goes back to, directly or by a link; '': a person.
ALTER TABLE verifications ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
ALTER TABLE links ADD COLUMN key_id TEXT NOT NULL DEFAULT '';

-- How much of what an account used on a day, and which key caused it. Test mode is not counted, but its photos are stored.
CREATE TABLE usage_by_key (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    counter TEXT NOT NULL,                 -- fv/usage/flows.py
    day BIGINT NOT NULL,                   -- since 1970-01-01, in UTC
    key_id TEXT NOT NULL,                  -- '': a person
    amount BIGINT NOT NULL,                -- of storage_bytes: how much more than the day before, or less
    PRIMARY KEY (account_id, counter, day, key_id)
);
INSERT INTO usage_by_key (account_id, counter, day, key_id, amount)
SELECT account_id, counter, day, '', amount FROM usage_days;
INSERT INTO usage_by_key (account_id, counter, day, key_id, amount)
SELECT account_id, 'storage_bytes', taken_at / 86400, '', sum(bytes) FROM photos
WHERE erased_at IS NULL GROUP BY account_id, taken_at / 86400;
DROP TABLE usage_days;
ALTER TABLE usage_by_key RENAME TO usage_days;
