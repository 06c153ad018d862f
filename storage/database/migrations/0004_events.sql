-- The change feed: one row a change of what the archive shows, in the order of the changes. `seq` grows; it is made of the
-- run, of its journal's entry and of the place in it, so that a rebuild gives every change the same number.
CREATE TABLE events (
    seq             BIGINT NOT NULL,
    changed_at      TIMESTAMPTZ NOT NULL,
    kind            VARCHAR NOT NULL,
    id              VARCHAR NOT NULL,
    revision        INTEGER,
    duplicate_of    VARCHAR,
    run_id          VARCHAR NOT NULL
);

-- Since when an article is known to be deleted by its publisher; NULL: it is there, as far as anybody knows.
ALTER TABLE frontier ADD COLUMN gone_at TIMESTAMPTZ;
