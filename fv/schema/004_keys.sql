CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,                  -- how it begins, to tell keys apart
    secret_hash TEXT NOT NULL UNIQUE,      -- SHA-256 of 256 random bits
    scopes TEXT NOT NULL,                  -- separated by spaces
    mode TEXT NOT NULL,                    -- live or test
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_keys_by_account ON api_keys (account_id, created_at);
