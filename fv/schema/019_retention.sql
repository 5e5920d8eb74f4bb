-- How long an account keeps what it learns of people, in days. Without a row: as FV_RETENTION says.
CREATE TABLE kept_days (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    photos BIGINT NOT NULL,
    documents BIGINT NOT NULL,
    fingerprints BIGINT NOT NULL
);

-- Until when what of a session is kept: what its person was told when they agreed. It is only ever shortened.
CREATE TABLE terms (
    session_id TEXT PRIMARY KEY REFERENCES verifications (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    counted_from BIGINT NOT NULL,          -- when the session was made
    closed_at BIGINT NOT NULL,             -- from then on no photo of it can still be on its way
    photos_until BIGINT,                   -- NULL: gone; so are the next two
    documents_until BIGINT,
    fingerprints_until BIGINT,
    next_at BIGINT,                        -- when the first of them goes; NULL: all are gone
    held_until BIGINT,                     -- legal hold: before that nothing goes
    held_because TEXT NOT NULL DEFAULT '', -- in the words of whoever set it
    receipt_hash TEXT                      -- SHA-256 of the code in the address of the person's own page
);
INSERT INTO terms (session_id, account_id, counted_from, closed_at, photos_until, documents_until, fingerprints_until,
                   next_at)
SELECT id, account_id, created_at, expires_at + 3600, erase_after, erase_after, erase_after,
       CASE WHEN erase_after > expires_at + 3600 THEN erase_after ELSE expires_at + 3600 END
FROM verifications WHERE erased_at IS NULL;
CREATE INDEX terms_due ON terms (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX terms_of_account ON terms (account_id, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX terms_held ON terms (account_id, held_until) WHERE held_until IS NOT NULL;
CREATE UNIQUE INDEX terms_by_receipt ON terms (receipt_hash);
DROP INDEX verifications_to_erase;

-- What was erased, and whether somebody looked afterwards. These rows stay.
CREATE TABLE erasures (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    session_id TEXT,                       -- NULL: templates that were of no session
    mode TEXT,                             -- of the session
    cause TEXT NOT NULL,                   -- term, account, person, operator
    reason TEXT NOT NULL,                  -- in the words of whoever asked for it
    classes TEXT NOT NULL,                 -- photos documents fingerprints, with a space between
    gone TEXT NOT NULL,                    -- JSON: how many of what
    created_at BIGINT NOT NULL,
    status TEXT NOT NULL,                  -- pending, blocked, erased
    because TEXT,                          -- why it is blocked: fv/retention/flows.py
    sealed_traces TEXT,                    -- short pieces of what must be nowhere; NULL: they were looked for
    erased_at BIGINT,                      -- when nothing of it was found
    receipt TEXT                           -- JSON, signed
);
CREATE INDEX erasures_of_account ON erasures (account_id, created_at, id);
CREATE INDEX erasures_of_session ON erasures (session_id);
CREATE INDEX erasures_open ON erasures (created_at) WHERE status <> 'erased';

-- What receipts are signed with: Ed25519. The newest one signs; an older one is still known again.
CREATE TABLE receipt_keys (
    id TEXT PRIMARY KEY,
    public_key TEXT NOT NULL,              -- base64
    sealed_seed TEXT NOT NULL,             -- bound to the id
    made_at BIGINT NOT NULL
);

-- When it was last looked for sessions whose time is over: one row.
CREATE TABLE retention_looks (
    id BIGINT PRIMARY KEY,
    looked_at BIGINT NOT NULL
);

-- An answer that is given again holds the token of its session, and goes with it.
ALTER TABLE idempotency ADD COLUMN session_id TEXT;
CREATE INDEX idempotency_by_session ON idempotency (session_id) WHERE session_id IS NOT NULL;
