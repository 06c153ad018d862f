-- Which texts are copies of each other, and the stories that they make up. Found after a run's batches have been stored.
CREATE TABLE near_duplicates (
    a               VARCHAR NOT NULL,
    b               VARCHAR NOT NULL,
    shared          INTEGER NOT NULL,
    of_a            DOUBLE NOT NULL,
    of_b            DOUBLE NOT NULL
);

CREATE TABLE story_members (
    story           VARCHAR NOT NULL,
    id              VARCHAR NOT NULL,
    minutes_behind  INTEGER,
    share           DOUBLE
);

-- A cache: what is missing in it is computed from the texts.
CREATE TABLE sketches (
    id              VARCHAR NOT NULL,
    revision        INTEGER NOT NULL,
    hashes          UINTEGER[] NOT NULL
);

CREATE VIEW stories AS
    SELECT
        m.story,
        m.story AS first_id,
        count(*) AS articles,
        count(DISTINCT a.publisher) AS publishers,
        min(a.published_at) AS first_at,
        max(a.published_at) AS last_at,
        any_value(a.title) FILTER (m.id = m.story) AS title
    FROM story_members m JOIN articles a USING (id)
    GROUP BY m.story;

-- The number of the newest change whose near-duplicates the run found.
ALTER TABLE runs ADD COLUMN pairs_until BIGINT;

-- The story that an article has joined; NULL where it has left one.
ALTER TABLE events ADD COLUMN story VARCHAR;
