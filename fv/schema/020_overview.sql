-- What the overview asks: how long it took until the first verdict, and which of these sessions are live and not erased.
-- Each is answered by an index alone, and no row is read.
CREATE INDEX verifications_by_verdict ON verifications (account_id, mode, created_at, completed_at)
WHERE completed_at IS NOT NULL;
CREATE INDEX verifications_kept ON verifications (account_id, mode, id) WHERE erased_at IS NULL;
