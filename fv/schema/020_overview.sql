-- What the overview asks of thirty days: how long until the first verdict, and what is erased soon. Each answer is one
-- range of an index, and no row is read.
CREATE INDEX verifications_by_verdict ON verifications (account_id, mode, created_at, completed_at)
WHERE completed_at IS NOT NULL;
CREATE INDEX verifications_erased_next ON verifications (account_id, mode, erase_after, id, created_at)
WHERE erased_at IS NULL;
