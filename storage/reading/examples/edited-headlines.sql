-- Headlines that a publisher changed after publication: before, after, and when the change was seen.
SELECT id, publisher, before, after, crawled_at AS seen_at
FROM (
    SELECT
        id,
        publisher,
        revision,
        revision_kind,
        crawled_at,
        lag(title) OVER (PARTITION BY id ORDER BY revision) AS before,
        title AS after
    FROM revisions
    WHERE id IN (SELECT id FROM superseded) AND id IN (SELECT id FROM articles_on_topic)
)
WHERE revision > 1 AND revision_kind = 'edited' AND before IS DISTINCT FROM after
ORDER BY seen_at DESC, id;
