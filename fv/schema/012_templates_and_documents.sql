-- What the templates of an account are turned by. A newer generation replaces an older one after a leak.
CREATE TABLE rotations (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    generation BIGINT NOT NULL,
    sealed_seed TEXT NOT NULL,             -- bound to account and generation
    made_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, generation)
);

-- Templates of faces. Those of another model, preprocessing or generation are never compared with each other.
CREATE TABLE fingerprints (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    session_id TEXT,                       -- no reference: NULL, of no session
    external_user_id TEXT NOT NULL,
    mode TEXT NOT NULL,                    -- live or test
    model TEXT NOT NULL,                   -- 1 to 64 of a-z 0-9 . _ -
    model_sha256 TEXT NOT NULL,            -- of the file of the model
    preprocessing TEXT NOT NULL,
    generation BIGINT NOT NULL,            -- of the rotation
    vector BLOB NOT NULL CHECK (length(vector) = 512), -- 128 float32, little-endian, of length 1, turned
    created_at BIGINT NOT NULL,
    FOREIGN KEY (account_id, generation) REFERENCES rotations (account_id, generation)
);
CREATE INDEX fingerprints_by_model ON fingerprints (account_id, model, mode, id);
CREATE INDEX fingerprints_by_session ON fingerprints (account_id, session_id);

-- What was read from the document of a verification.
CREATE TABLE documents (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    verification_id TEXT NOT NULL,
    sealed_text TEXT NOT NULL,             -- bound to account and verification
    read_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, verification_id)
);
