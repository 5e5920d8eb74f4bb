-- What a company sends to people: who opens it and consents begins a session.
CREATE TABLE links (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    mode TEXT NOT NULL,                    -- live or test
    kind TEXT NOT NULL,                    -- single or reusable
    token_hash TEXT NOT NULL,              -- SHA-256 of the 256 random bits in its address
    external_user_id TEXT,                 -- of its sessions; NULL: each gets one of its own
    return_url TEXT NOT NULL DEFAULT '',   -- where the end user goes on afterwards
    max_uses BIGINT,                       -- NULL: no limit
    uses BIGINT NOT NULL DEFAULT 0,        -- sessions that were begun
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX links_by_token ON links (token_hash);
CREATE INDEX links_by_account ON links (account_id, created_at, id);
