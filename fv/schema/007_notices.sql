-- Rows of the audit trail that the holder has said to have seen.
CREATE TABLE notices_read (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    PRIMARY KEY (account_id, number)
);

-- One mail an event.
CREATE TABLE mails (
    number BIGINT PRIMARY KEY,             -- of the row of the audit trail
    account_id TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    tries BIGINT NOT NULL DEFAULT 0,
    next_try_at BIGINT,                    -- NULL: sent, or given up
    sent_at BIGINT
);
CREATE INDEX mails_due ON mails (next_try_at) WHERE next_try_at IS NOT NULL;
