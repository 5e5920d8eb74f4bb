-- A key whose place another one has taken works on until its grace ends.
ALTER TABLE api_keys ADD COLUMN retires_at BIGINT;  -- NULL: no other key has taken its place
ALTER TABLE api_keys ADD COLUMN used_from TEXT;     -- the network it was last used from
