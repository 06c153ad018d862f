-- Which times of each source have been read. One row a stretch of time; those of one source do not overlap. A gap was
-- asked for and could not be read, and `reason` says why; it ends when a later reading covers it.
CREATE TABLE coverage (
    source          VARCHAR NOT NULL,
    since           TIMESTAMPTZ NOT NULL,
    until           TIMESTAMPTZ NOT NULL,
    state           VARCHAR NOT NULL,
    reason          VARCHAR,
    run_id          VARCHAR NOT NULL
);

-- One row an article whose newest page is kept out of the archive, because it could not be read as it should be. The raw
-- page lies in the captures; the row goes when the article ends in another way.
CREATE TABLE quarantine (
    id              VARCHAR PRIMARY KEY,
    url             VARCHAR NOT NULL,
    reason          VARCHAR NOT NULL,
    capture_file    VARCHAR NOT NULL,
    capture_offset  BIGINT NOT NULL,
    held_at         TIMESTAMPTZ NOT NULL,
    run_id          VARCHAR NOT NULL
);

-- When an article's page was last asked for, when it is to be looked at again (NULL: never), and what the server said
-- that tells whether it has changed since.
ALTER TABLE frontier ADD COLUMN checked_at TIMESTAMPTZ;
ALTER TABLE frontier ADD COLUMN refresh_at TIMESTAMPTZ;
ALTER TABLE frontier ADD COLUMN etag VARCHAR;
ALTER TABLE frontier ADD COLUMN last_modified VARCHAR;
