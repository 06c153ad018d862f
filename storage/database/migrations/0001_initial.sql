-- One row an article, its newest text. The rows that newer texts replaced are in `superseded`.
CREATE TABLE articles (
    id              VARCHAR PRIMARY KEY,
    oid             VARCHAR,
    aid             VARCHAR,
    url             VARCHAR,
    status          VARCHAR NOT NULL,
    title           VARCHAR,
    subtitle        VARCHAR,
    body            VARCHAR USING COMPRESSION zstd,
    description     VARCHAR,
    publisher       VARCHAR,
    byline          VARCHAR,
    authors         STRUCT(name VARCHAR, email VARCHAR)[],
    categories      VARCHAR[],
    published_at    TIMESTAMPTZ,
    modified_at     TIMESTAMPTZ,
    crawled_at      TIMESTAMPTZ,
    original_url    VARCHAR,
    images          STRUCT(url VARCHAR, caption VARCHAR)[],
    kind            VARCHAR,
    content_hash    VARCHAR,
    text_hash       VARCHAR,
    parser          VARCHAR,
    revision        INTEGER NOT NULL,
    revision_kind   VARCHAR NOT NULL,
    relevance       DOUBLE,
    reasons         VARCHAR[],
    teams           VARCHAR[],
    source          VARCHAR,
    file            VARCHAR,
    capture_file    VARCHAR,
    capture_offset  BIGINT,
    run_id          VARCHAR NOT NULL
);

-- The same columns, one row a text that a newer one replaced.
CREATE TABLE superseded (
    id              VARCHAR NOT NULL,
    oid             VARCHAR,
    aid             VARCHAR,
    url             VARCHAR,
    status          VARCHAR NOT NULL,
    title           VARCHAR,
    subtitle        VARCHAR,
    body            VARCHAR USING COMPRESSION zstd,
    description     VARCHAR,
    publisher       VARCHAR,
    byline          VARCHAR,
    authors         STRUCT(name VARCHAR, email VARCHAR)[],
    categories      VARCHAR[],
    published_at    TIMESTAMPTZ,
    modified_at     TIMESTAMPTZ,
    crawled_at      TIMESTAMPTZ,
    original_url    VARCHAR,
    images          STRUCT(url VARCHAR, caption VARCHAR)[],
    kind            VARCHAR,
    content_hash    VARCHAR,
    text_hash       VARCHAR,
    parser          VARCHAR,
    revision        INTEGER NOT NULL,
    revision_kind   VARCHAR NOT NULL,
    relevance       DOUBLE,
    reasons         VARCHAR[],
    teams           VARCHAR[],
    source          VARCHAR,
    file            VARCHAR,
    capture_file    VARCHAR,
    capture_offset  BIGINT,
    run_id          VARCHAR NOT NULL
);

-- Every text of every article, old and new.
CREATE VIEW revisions AS
    SELECT * FROM superseded
    UNION ALL BY NAME
    SELECT * FROM articles;

-- One row an article whose text the archive held already, under the key of another: no text, no file of its own.
CREATE TABLE duplicates (
    id              VARCHAR PRIMARY KEY,
    duplicate_of    VARCHAR NOT NULL,
    matched_by      VARCHAR NOT NULL,
    title           VARCHAR,
    publisher       VARCHAR,
    byline          VARCHAR,
    published_at    TIMESTAMPTZ,
    crawled_at      TIMESTAMPTZ,
    url             VARCHAR,
    original_url    VARCHAR,
    content_hash    VARCHAR,
    text_hash       VARCHAR,
    source          VARCHAR,
    capture_file    VARCHAR,
    capture_offset  BIGINT,
    run_id          VARCHAR NOT NULL
);

-- One row a key that was ever found: how its last find ended, and when it is to be tried again (never, where NULL).
-- `found_at` is the start of the run that first found it.
CREATE TABLE frontier (
    id              VARCHAR PRIMARY KEY,
    state           VARCHAR NOT NULL,
    tries           INTEGER NOT NULL,
    due_at          TIMESTAMPTZ,
    found_at        TIMESTAMPTZ NOT NULL,
    url             VARCHAR,
    source          VARCHAR,
    title           VARCHAR,
    description     VARCHAR,
    publisher       VARCHAR,
    published_at    TIMESTAMPTZ,
    original_url    VARCHAR,
    run_id          VARCHAR NOT NULL
);

-- One row a find: an article that a source named in a run, and how that ended.
CREATE TABLE finds (
    run_id          VARCHAR NOT NULL,
    id              VARCHAR NOT NULL,
    source          VARCHAR NOT NULL,
    outcome         VARCHAR NOT NULL,
    reason          VARCHAR NOT NULL,
    title           VARCHAR,
    seen_at         TIMESTAMPTZ NOT NULL,
    relevance       DOUBLE,
    reasons         VARCHAR[]
);

-- One row a run: its receipt.
CREATE TABLE runs (
    run_id          VARCHAR NOT NULL,
    command         VARCHAR NOT NULL,
    topic           VARCHAR,
    started_at      TIMESTAMPTZ NOT NULL,
    finished_at     TIMESTAMPTZ,
    exit_reason     VARCHAR,
    finds           INTEGER,
    outcomes        MAP(VARCHAR, INTEGER),
    requests        INTEGER,
    bytes           BIGINT,
    receipt         VARCHAR
);

-- One row a request on the wire, also those for robots.txt, redirects and retries.
CREATE TABLE requests (
    run_id          VARCHAR NOT NULL,
    started_at      TIMESTAMPTZ NOT NULL,
    host            VARCHAR NOT NULL,
    url             VARCHAR NOT NULL,
    status          INTEGER,
    received        BIGINT NOT NULL,
    seconds         DOUBLE NOT NULL,
    attempt         INTEGER NOT NULL,
    why             VARCHAR NOT NULL,
    fault           VARCHAR
);

-- How far each source has been read: nothing at or before `watermark` minus the topic's lag is asked for again.
CREATE TABLE cursors (
    source          VARCHAR PRIMARY KEY,
    watermark       TIMESTAMPTZ NOT NULL,
    run_id          VARCHAR NOT NULL
);
