-- The plan of an account, by the month from which it has it on. Before the first row: the one in `accounts`, which it
-- began with. The newest row of a month that was billed does not change any more.
CREATE TABLE account_plans (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    month TEXT NOT NULL,                   -- 2026-11, in UTC
    plan TEXT NOT NULL,                    -- its id in the file of plans
    chosen_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, month)
);

-- One invoice an account and month. Once it has its number it is never changed, but for paid_at: so whatever it says
-- stands here, and not where it was taken from.
CREATE TABLE invoices (
    id TEXT PRIMARY KEY,
    number TEXT UNIQUE,                    -- FV-2026-000001; NULL: a draft
    account_id TEXT NOT NULL,              -- no reference: an invoice outlives its account
    month TEXT NOT NULL,                   -- 2026-11
    email TEXT NOT NULL,
    issuer TEXT NOT NULL,                  -- lines of a name and an address
    plan_name TEXT NOT NULL,
    included BIGINT NOT NULL,              -- sessions
    sessions BIGINT NOT NULL,              -- that were billed in the month
    currency TEXT NOT NULL,
    total BIGINT NOT NULL,                 -- cents
    created_at BIGINT NOT NULL,
    opened_at BIGINT,                      -- NULL: a draft
    paid_at BIGINT,
    UNIQUE (account_id, month),
    CHECK ((number IS NULL) = (opened_at IS NULL)),
    CHECK (paid_at IS NULL OR number IS NOT NULL)
);
CREATE INDEX invoices_by_account ON invoices (account_id, created_at, id);

CREATE TABLE invoice_lines (
    invoice_id TEXT NOT NULL REFERENCES invoices (id) ON DELETE CASCADE,
    place BIGINT NOT NULL,                 -- 1, 2, …
    what TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    each BIGINT NOT NULL,                  -- cents
    PRIMARY KEY (invoice_id, place)
);

-- The number that was given last in a year: taken in the transaction of its invoice, so there is no gap.
CREATE TABLE invoice_numbers (
    year BIGINT PRIMARY KEY,
    last BIGINT NOT NULL
);

-- Those that can still be submitted: for the limit of a plan they are counted at every new one.
CREATE INDEX verifications_open ON verifications (account_id, mode, expires_at, status)
WHERE status IN ('pending', 'in_progress');

-- A session is counted as billable at its first verdict from now on, and no longer when it is submitted. Those that are
-- being analysed were counted, and will be once more.
UPDATE usage_days SET amount = amount - (
    SELECT count(*) FROM verifications AS one
    WHERE one.status = 'analyzing' AND one.mode = 'live' AND one.account_id = usage_days.account_id
      AND one.key_id = usage_days.key_id AND one.submitted_at / 86400 = usage_days.day
)
WHERE counter = 'sessions_billable' AND EXISTS (
    SELECT 1 FROM verifications AS one
    WHERE one.status = 'analyzing' AND one.mode = 'live' AND one.account_id = usage_days.account_id
      AND one.key_id = usage_days.key_id AND one.submitted_at / 86400 = usage_days.day
);
