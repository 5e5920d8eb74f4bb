-- Files of templates on their way in. The templates of one are in a gallery of their own, under a rotation of their own
-- (of a generation below zero), which stays closed until all are there: it is opened by one row, however many they are.
-- From then on they move to the others, as after a new rotation.
CREATE TABLE imports (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    gallery_id BIGINT REFERENCES galleries (id) ON DELETE SET NULL,
    digest TEXT NOT NULL,                  -- SHA-256 of what is imported, and to where
    total BIGINT NOT NULL,                 -- templates of the file that can be imported
    done BIGINT NOT NULL,                  -- of them, those that are in the gallery
    begun_at BIGINT NOT NULL,
    opened_at BIGINT                       -- NULL: closed, nobody finds anything of it
);
CREATE INDEX imports_of_account ON imports (account_id, digest);
CREATE INDEX imports_by_gallery ON imports (gallery_id);

-- Those whose templates are found.
CREATE VIEW open_galleries AS
SELECT * FROM galleries
WHERE NOT EXISTS (SELECT 1 FROM imports WHERE imports.gallery_id = galleries.id AND imports.opened_at IS NULL);
