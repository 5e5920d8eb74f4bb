-- The one authenticator of an account. Enrolled means confirmed_at is set; there is no way to go back but support.
CREATE TABLE authenticators (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    generation BIGINT NOT NULL DEFAULT 1,  -- from 2 on the app shows "email (2)"
    sealed_secret TEXT,                    -- bound to the account id
    confirmed_at BIGINT,
    last_step BIGINT NOT NULL DEFAULT 0,   -- newest 30-second step already spent
    codes_recipe TEXT,                     -- salt and cost of the set of backup codes
    codes_issued_at BIGINT,
    codes_acknowledged_at BIGINT,          -- the holder said they are saved; NULL: still owed
    CHECK ((sealed_secret IS NULL) = (confirmed_at IS NULL))
);

-- A secret that is shown and not confirmed yet. It belongs to one login: somebody else who knows the password never
-- sees the secret that the holder goes on to confirm.
CREATE TABLE offered_secrets (
    login_id TEXT PRIMARY KEY REFERENCES logins (id) ON DELETE CASCADE,
    sealed_secret TEXT NOT NULL            -- bound to the login id
);

CREATE TABLE backup_codes (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    code_hash TEXT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (account_id, code_hash)
);
