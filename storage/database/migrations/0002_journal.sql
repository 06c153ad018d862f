-- What a Markdown file is, byte for byte: whoever alters one is found out.
ALTER TABLE articles ADD COLUMN file_sha256 VARCHAR;
ALTER TABLE superseded ADD COLUMN file_sha256 VARCHAR;
CREATE OR REPLACE VIEW revisions AS
    SELECT * FROM superseded
    UNION ALL BY NAME
    SELECT * FROM articles;

-- The order of the runs, whatever the clock said; and how many batches of the run's journal the database holds. Both are
-- NULL for runs from before there was a journal.
ALTER TABLE runs ADD COLUMN number INTEGER;
ALTER TABLE runs ADD COLUMN batches INTEGER;

-- One row a finished WARC file: its size in bytes and its SHA-256.
CREATE TABLE capture_files (
    name            VARCHAR PRIMARY KEY,
    bytes           BIGINT NOT NULL,
    sha256          VARCHAR NOT NULL,
    run_id          VARCHAR NOT NULL
);

-- Answers that a run captured and was killed before it could store: the next run takes them up instead of asking again.
CREATE TABLE unprocessed (
    url             VARCHAR PRIMARY KEY,
    capture_file    VARCHAR NOT NULL,
    capture_offset  BIGINT NOT NULL,
    fetched_at      TIMESTAMPTZ NOT NULL
);
