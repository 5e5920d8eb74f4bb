-- How the analysis of photos went on a day, over all accounts: no row is about a person.
CREATE TABLE analysis_days (
    day BIGINT NOT NULL,                   -- since 1970-01-01, in UTC
    counter TEXT NOT NULL,                 -- jobs, milliseconds, failures; process: how one that examines came to its end
    about TEXT NOT NULL,                   -- the stage, or all; of processes the reason
    amount BIGINT NOT NULL,
    PRIMARY KEY (day, counter, about)
);
