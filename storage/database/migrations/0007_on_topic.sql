-- Whether a text is on topic; NULL where it was stored before this: unknown until `seogo reassess`. (A default, or an
-- UPDATE, would take minutes for each 100,000 rows.)
ALTER TABLE articles ADD COLUMN on_topic BOOLEAN;
ALTER TABLE superseded ADD COLUMN on_topic BOOLEAN;

CREATE OR REPLACE VIEW revisions AS
    SELECT * FROM superseded
    UNION ALL BY NAME
    SELECT * FROM articles;

-- By which rules a run assessed texts.
ALTER TABLE runs ADD COLUMN topic_version VARCHAR;
ALTER TABLE runs ADD COLUMN topic_threshold DOUBLE;

-- The page of an article that is off topic: it is assessed again, without a request, when the topic file changes.
ALTER TABLE frontier ADD COLUMN capture_file VARCHAR;
ALTER TABLE frontier ADD COLUMN capture_offset BIGINT;

CREATE VIEW topics AS
    SELECT
        topic_version AS version,
        arg_max(topic, number) AS name,
        any_value(topic_threshold) AS threshold,
        min(started_at) AS first_used_at,
        max(started_at) AS last_used_at
    FROM runs
    WHERE topic_version IS NOT NULL
    GROUP BY topic_version;

-- Where it is unknown: a crawl archived only what was on topic; an import takes over everything, so there the score
-- decides, by the newest run's threshold.
CREATE VIEW articles_on_topic AS
    SELECT * FROM articles
    WHERE coalesce(
        on_topic,
        status <> 'imported' OR relevance >= (SELECT arg_max(topic_threshold, number) FROM runs),
        false
    );

CREATE OR REPLACE VIEW teams AS
    SELECT
        id,
        team,
        list_transform(list_filter(models, lambda one: one.team = team), lambda one: one.model) AS models,
        published_at,
        publisher
    FROM (SELECT id, unnest(teams) AS team, models, published_at, publisher FROM articles_on_topic);

CREATE OR REPLACE VIEW publishers AS
    SELECT
        publisher,
        min(oid) AS oid,
        count(*) AS articles,
        min(published_at) AS first_published_at,
        max(published_at) AS last_published_at
    FROM articles_on_topic
    WHERE publisher IS NOT NULL
    GROUP BY publisher;

CREATE OR REPLACE VIEW daily AS
    SELECT
        CAST(published_at AT TIME ZONE 'Asia/Seoul' AS DATE) AS day,
        count(*) AS articles,
        count(DISTINCT publisher) AS publishers,
        count(*) FILTER (WHERE revision > 1) AS revised
    FROM articles_on_topic
    WHERE published_at IS NOT NULL
    GROUP BY day;

CREATE OR REPLACE VIEW archive_info AS
    SELECT
        (SELECT arg_max(run_id, number) FROM runs) AS run_id,
        greatest(
            (SELECT max(coalesce(finished_at, started_at)) FROM runs), (SELECT max(changed_at) FROM events)
        ) AS as_of,
        (SELECT count(*) FROM articles) AS articles,
        (SELECT count(*) FROM superseded) AS older_revisions,
        (SELECT count(*) FROM duplicates) AS duplicates,
        (SELECT max(seq) FROM events) AS newest_event,
        (SELECT max(version) FROM schema_version) AS schema_version,
        (SELECT count(*) FROM articles_on_topic) AS articles_on_topic;
