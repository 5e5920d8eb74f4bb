-- Addresses of an account that are told what becomes of its sessions.
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    events TEXT NOT NULL,                  -- with a space between
    mode TEXT NOT NULL,                    -- of the sessions it is told of: live or test
    sealed_secret TEXT NOT NULL,           -- what deliveries are signed with
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,                    -- NULL: it is told
    disabled_because TEXT,                 -- fv/webhooks/store.py
    failed BIGINT NOT NULL DEFAULT 0,      -- deliveries in a row that were given up
    is_quick BIGINT NOT NULL DEFAULT 0,    -- 1: the last try was answered at once, so nobody waits for it
    tried_at BIGINT,
    lease TEXT,                            -- of whoever sends to it: one try at a time
    leased_until BIGINT
);
CREATE INDEX webhooks_by_account ON webhooks (account_id, created_at, id);

-- What each of them is told, or was.
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,                   -- X-FaceVault-Event-Id, the same at every try
    webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event TEXT NOT NULL,
    session_id TEXT,                       -- NULL: of a test
    session_status TEXT,                   -- that it tells of
    facts TEXT,                            -- JSON; NULL: erased with the session
    created_at BIGINT NOT NULL,
    tries BIGINT NOT NULL DEFAULT 0,       -- since it was made, or sent again by a person
    next_try_at BIGINT,                    -- NULL: there is none
    delivered_at BIGINT,
    code BIGINT,                           -- HTTP status of the last answer; NULL: there was none
    milliseconds BIGINT,                   -- of the last try
    failure TEXT                           -- why the last try was none: fv/webhooks/sending.py
);
-- A session becomes each status once, and so each is told once.
CREATE UNIQUE INDEX deliveries_once ON deliveries (webhook_id, session_id, session_status);
CREATE INDEX deliveries_by_time ON deliveries (webhook_id, created_at, id);
CREATE INDEX deliveries_due ON deliveries (webhook_id, next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX deliveries_by_session ON deliveries (session_id) WHERE session_id IS NOT NULL;
