-- Which segments of fetchers the archive has taken in. Written in the transaction that stores their finds, so that no
-- segment is taken in twice.
CREATE TABLE segments (
    fetcher         VARCHAR NOT NULL,
    number          INTEGER NOT NULL,
    outcome         VARCHAR NOT NULL,
    bytes           BIGINT NOT NULL,
    sha256          VARCHAR,
    addresses       INTEGER NOT NULL,
    repeated        INTEGER NOT NULL,
    late            INTEGER NOT NULL,
    run_id          VARCHAR NOT NULL,
    PRIMARY KEY (fetcher, number)
);
