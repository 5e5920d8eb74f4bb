CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,            -- lower case
    password_hash TEXT NOT NULL,
    plan TEXT NOT NULL DEFAULT 'free',
    created_at BIGINT NOT NULL
);

-- What a cookie names. A new id at every rise of standing; no row, no way in.
CREATE TABLE logins (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    created_at BIGINT NOT NULL,            -- the password was proved
    seen_at BIGINT NOT NULL,
    proved_at BIGINT,                      -- the second factor was proved; NULL: the password only
    locked_at BIGINT                       -- too many wrong codes: this login can no longer rise
);
CREATE INDEX logins_by_account ON logins (account_id);
