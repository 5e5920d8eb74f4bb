-- Every try that may turn out wrong, written before it is looked at and taken back when it was right.
CREATE TABLE attempts (
    id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL,
    subject TEXT NOT NULL,
    made_at BIGINT NOT NULL
);
CREATE INDEX attempts_by_subject ON attempts (bucket, subject, made_at);
CREATE INDEX attempts_by_time ON attempts (made_at);
