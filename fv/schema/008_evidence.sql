-- Photos: what is known of them. The pictures are sealed blobs outside of the database, each under a key of its own.
CREATE TABLE photos (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    verification_id TEXT NOT NULL,         -- no reference: evidence stands alone
    kind TEXT NOT NULL,                    -- id_photo, selfie, liveness_frame
    blob_key TEXT UNIQUE,                  -- NULL: the blob is gone
    sealed_key TEXT,                       -- opens the blob, sealed with the keyring; NULL: erased
    sha256 TEXT NOT NULL,                  -- of the file as it came
    width BIGINT,
    height BIGINT,
    bytes BIGINT,                          -- of the JPEG that is kept
    taken_at BIGINT,
    erased_at BIGINT                       -- from then on only sha256 is kept
);
CREATE UNIQUE INDEX photos_live ON photos (verification_id, kind) WHERE erased_at IS NULL;
CREATE INDEX photos_by_verification ON photos (account_id, verification_id, kind);
CREATE INDEX photos_by_file ON photos (account_id, sha256);
