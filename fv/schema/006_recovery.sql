-- Support let the account make a new set of backup codes; for how long is a setting.
ALTER TABLE authenticators ADD COLUMN codes_allowed_at BIGINT;

-- The second factor was reset: the next one is set up only by a login at which the code was typed that support gave to
-- the verified person. The row goes when a new authenticator is confirmed.
CREATE TABLE re_enrolments (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    code_hash TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    accepted_at BIGINT,                    -- used: it works once
    login_id TEXT REFERENCES logins (id) ON DELETE SET NULL
);

-- One-time links at which a password is set.
CREATE TABLE password_links (
    token_hash TEXT PRIMARY KEY,           -- SHA-256 of 256 random bits
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    made_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX password_links_by_account ON password_links (account_id);

-- From where an account was used before, to tell its holder of a new device. Not readable: HMACs of the keyring.
CREATE TABLE known_devices (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    mark TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, mark)
);
