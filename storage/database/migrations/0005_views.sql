-- What people ask for, as views.

CREATE VIEW article_teams AS
    SELECT id, unnest(teams) AS team, published_at, publisher FROM articles;

CREATE VIEW publishers AS
    SELECT
        publisher,
        min(oid) AS oid,
        count(*) AS articles,
        min(published_at) AS first_published_at,
        max(published_at) AS last_published_at
    FROM articles
    WHERE publisher IS NOT NULL
    GROUP BY publisher;

CREATE VIEW daily AS
    SELECT
        CAST(published_at AT TIME ZONE 'Asia/Seoul' AS DATE) AS day,
        count(*) AS articles,
        count(DISTINCT publisher) AS publishers,
        count(*) FILTER (WHERE revision > 1) AS revised
    FROM articles
    WHERE published_at IS NOT NULL
    GROUP BY day;

CREATE VIEW revision_changes AS
    SELECT
        id,
        revision,
        revision_kind,
        crawled_at,
        run_id,
        list_filter([
            CASE WHEN title IS DISTINCT FROM before_title THEN 'title' END,
            CASE WHEN text_hash IS DISTINCT FROM before_text_hash THEN 'body' END,
            CASE WHEN text_hash IS NOT DISTINCT FROM before_text_hash
                  AND content_hash IS DISTINCT FROM before_content_hash THEN 'white space' END,
            CASE WHEN byline IS DISTINCT FROM before_byline THEN 'byline' END,
            CASE WHEN published_at IS DISTINCT FROM before_published_at
                   OR modified_at IS DISTINCT FROM before_modified_at THEN 'time' END,
            CASE WHEN body IS NOT NULL AND before_body IS NOT NULL
                  AND regexp_matches(body, '정정보도|바로잡습니다|바로 잡습니다|정정합니다')
                  AND NOT regexp_matches(before_body, '정정보도|바로잡습니다|바로 잡습니다|정정합니다')
                 THEN 'correction notice' END
        ], lambda what: what IS NOT NULL) AS changed
    FROM (
        SELECT
            *,
            lag(title) OVER one AS before_title,
            lag(body) OVER one AS before_body,
            lag(text_hash) OVER one AS before_text_hash,
            lag(content_hash) OVER one AS before_content_hash,
            lag(byline) OVER one AS before_byline,
            lag(published_at) OVER one AS before_published_at,
            lag(modified_at) OVER one AS before_modified_at
        FROM revisions
        WHERE id IN (SELECT id FROM superseded)
        WINDOW one AS (PARTITION BY id ORDER BY revision)
    )
    WHERE revision > 1;

CREATE MACRO articles_as_of(moment) AS TABLE
    SELECT revisions.* FROM revisions SEMI JOIN (
        SELECT id, max(revision) AS revision FROM revisions WHERE crawled_at <= moment GROUP BY id
    ) USING (id, revision);

CREATE VIEW archive_info AS
    SELECT
        (SELECT arg_max(run_id, number) FROM runs) AS run_id,
        (SELECT max(coalesce(finished_at, started_at)) FROM runs) AS as_of,
        (SELECT count(*) FROM articles) AS articles,
        (SELECT count(*) FROM superseded) AS older_revisions,
        (SELECT count(*) FROM duplicates) AS duplicates,
        (SELECT max(seq) FROM events) AS newest_event,
        (SELECT max(version) FROM schema_version) AS schema_version;
