-- Texts that got a correction notice after publication (정정보도, 바로잡습니다).
WITH told AS (
    SELECT
        id,
        publisher,
        title,
        revision,
        crawled_at,
        regexp_matches(body, '정정보도|바로잡습니다|바로 잡습니다|정정합니다') AS corrected
    FROM revisions
    WHERE id IN (SELECT id FROM superseded) AND id IN (SELECT id FROM articles_on_topic)
)
SELECT id, revision, crawled_at AS seen_at, publisher, title
FROM (SELECT *, lag(corrected) OVER (PARTITION BY id ORDER BY revision) AS before FROM told)
WHERE corrected AND NOT before
ORDER BY seen_at DESC, id;
