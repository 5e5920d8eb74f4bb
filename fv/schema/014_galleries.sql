-- What can be compared with each other: the templates of one account, mode, model and rotation. What is the same of all
-- of them stands here once. `version` counts the changes, each in the transaction that makes it: whoever holds a copy
-- sees at one glance whether it is still true.
CREATE TABLE galleries (
    id BIGINT PRIMARY KEY,                 -- random, never used again
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    mode TEXT NOT NULL,                    -- live or test
    model TEXT NOT NULL,                   -- 1 to 64 of a-z 0-9 . _ -
    model_sha256 TEXT NOT NULL,            -- of the file of the model; empty: the template came through the API
    preprocessing TEXT NOT NULL,
    generation BIGINT NOT NULL,            -- of the rotation
    version BIGINT NOT NULL,
    size BIGINT NOT NULL,                  -- templates
    forgotten BIGINT NOT NULL,             -- removals up to this version are no longer listed
    UNIQUE (account_id, mode, model, model_sha256, preprocessing, generation),
    FOREIGN KEY (account_id, generation) REFERENCES rotations (account_id, generation)
);

DROP INDEX fingerprints_by_model;
DROP INDEX fingerprints_by_session;
ALTER TABLE fingerprints RENAME TO fingerprints_before;
CREATE TABLE fingerprints (
    id TEXT PRIMARY KEY,
    gallery_id BIGINT NOT NULL REFERENCES galleries (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,                -- the version of the gallery that brought it: what is newer has a higher one
    session_id TEXT,                       -- no reference: NULL, of no session
    external_user_id TEXT NOT NULL,
    vector BLOB NOT NULL CHECK (length(vector) = 512), -- 128 float32, little-endian, of length 1, turned
    created_at BIGINT NOT NULL
);

INSERT INTO galleries (id, account_id, mode, model, model_sha256, preprocessing, generation, version, size, forgotten)
SELECT row_number() OVER (ORDER BY account_id, mode, model, model_sha256, preprocessing, generation),
       account_id, mode, model, model_sha256, preprocessing, generation, count(*), count(*), 0
FROM fingerprints_before GROUP BY account_id, mode, model, model_sha256, preprocessing, generation;

INSERT INTO fingerprints (id, gallery_id, number, session_id, external_user_id, vector, created_at)
SELECT one.id, galleries.id, row_number() OVER (PARTITION BY galleries.id ORDER BY one.created_at, one.id),
       one.session_id, one.external_user_id, one.vector, one.created_at
FROM fingerprints_before one JOIN galleries
  ON galleries.account_id = one.account_id AND galleries.mode = one.mode AND galleries.model = one.model
 AND galleries.model_sha256 = one.model_sha256 AND galleries.preprocessing = one.preprocessing
 AND galleries.generation = one.generation;
DROP TABLE fingerprints_before;

CREATE UNIQUE INDEX fingerprints_by_number ON fingerprints (gallery_id, number);
CREATE INDEX fingerprints_by_time ON fingerprints (gallery_id, created_at, id);
CREATE INDEX fingerprints_by_session ON fingerprints (session_id) WHERE session_id IS NOT NULL;

-- Which templates left a gallery: with the numbers of those that came, the log of its changes.
CREATE TABLE removals (
    gallery_id BIGINT NOT NULL REFERENCES galleries (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    number BIGINT NOT NULL,                -- what it had
    PRIMARY KEY (gallery_id, version)
);

-- Faces that no session may pass with.
CREATE TABLE blocked_fingerprints (
    fingerprint_id TEXT PRIMARY KEY REFERENCES fingerprints (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    reason TEXT NOT NULL,                  -- in the words of whoever blocked it
    blocked_at BIGINT NOT NULL
);
CREATE INDEX blocked_of_account ON blocked_fingerprints (account_id, blocked_at);

-- Who looked for whom, and why. The audit trail names the search; the reason is here, where it can be erased.
CREATE TABLE searches (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    mode TEXT NOT NULL,
    model TEXT NOT NULL,
    asked_by TEXT NOT NULL,                -- the email of a person, the prefix of a key
    about TEXT NOT NULL,                   -- session, fingerprint, embedding, photo; with the id where there is one
    reason TEXT NOT NULL,
    searched BIGINT NOT NULL,              -- templates that were compared
    found BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX searches_of_account ON searches (account_id, created_at, id);
