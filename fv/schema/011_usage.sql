-- How much of what an account used on a day. Test mode is not counted.
CREATE TABLE usage_days (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    day BIGINT NOT NULL,                   -- since 1970-01-01, in UTC
    counter TEXT NOT NULL,                 -- fv/usage/flows.py
    amount BIGINT NOT NULL,
    PRIMARY KEY (account_id, day, counter)
);
