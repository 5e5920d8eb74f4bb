-- One verification of one person. The product and its API call it a session.
CREATE TABLE verifications (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    external_user_id TEXT NOT NULL,
    mode TEXT NOT NULL,                    -- live or test
    status TEXT NOT NULL,                  -- fv/verifications/states.py; expired is true without being written
    require_poa BIGINT NOT NULL,
    token_hash TEXT NOT NULL,              -- SHA-256 of the 256 random bits the end user's link holds
    challenge TEXT NOT NULL,               -- left, right, up: the way the head is turned
    answered TEXT,                         -- the challenge that the head turn which is kept is an answer to
    nonce TEXT NOT NULL,                   -- names the challenge; used up with the liveness frame
    nonce_made_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,            -- until when it can be submitted
    consented_at BIGINT,
    submitted_at BIGINT,
    completed_at BIGINT,
    trust_score BIGINT,
    trust_decision TEXT,
    face_match_passed BIGINT,
    findings TEXT,                         -- JSON, from the analysers
    error TEXT NOT NULL DEFAULT '',
    link_id TEXT,                          -- the link it was begun with
    return_url TEXT NOT NULL DEFAULT '',   -- where the end user goes on afterwards
    erase_after BIGINT NOT NULL,           -- from then on its photos and what was read from them go
    erased_at BIGINT,
    lease TEXT,                            -- of the worker that analyses it
    leased_until BIGINT
);
CREATE UNIQUE INDEX verifications_by_token ON verifications (token_hash);
CREATE INDEX verifications_by_account ON verifications (account_id, created_at, id);
CREATE INDEX verifications_by_mode ON verifications (account_id, mode, created_at, id);
CREATE INDEX verifications_by_person ON verifications (account_id, external_user_id, mode, created_at, id);
-- Counting needs nothing else than this one.
CREATE INDEX verifications_by_status ON verifications (account_id, mode, status, created_at, id, expires_at);
CREATE INDEX verifications_by_link ON verifications (link_id);
CREATE INDEX verifications_to_erase ON verifications (erase_after) WHERE erased_at IS NULL;
CREATE INDEX verifications_analyzing ON verifications (leased_until) WHERE status = 'analyzing';

-- What happened to it, for its timeline.
CREATE TABLE verification_events (
    verification_id TEXT NOT NULL REFERENCES verifications (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,                   -- a status, consented, photo:<kind>
    note TEXT NOT NULL DEFAULT '',         -- the reason a person gave
    PRIMARY KEY (verification_id, number)
);

-- Answers that are given again to the same request within a day.
CREATE TABLE idempotency (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    request_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,             -- SHA-256 of what was asked for
    sealed_answer TEXT NOT NULL,           -- it holds a token
    made_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, request_key)
);
