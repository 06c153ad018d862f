-- What each source contributed: articles that it named first, and finds of all runs by outcome.
WITH named AS (
    SELECT source, count(*) AS articles FROM articles_on_topic GROUP BY source
), found AS (
    SELECT
        source,
        count(*) AS finds,
        count(*) FILTER (outcome = 'duplicate') AS duplicates,
        count(*) FILTER (outcome = 'off_topic') AS off_topic,
        count(*) FILTER (outcome = 'failed') AS failed
    FROM finds
    GROUP BY source
), asked AS (
    SELECT source FROM cursors UNION SELECT source FROM coverage UNION SELECT source FROM found UNION SELECT source FROM named
)
SELECT
    source,
    coalesce(articles, 0) AS articles_named_first,
    coalesce(finds, 0) AS finds,
    coalesce(duplicates, 0) AS duplicates,
    coalesce(off_topic, 0) AS off_topic,
    coalesce(failed, 0) AS failed
FROM asked LEFT JOIN named USING (source) LEFT JOIN found USING (source)
WHERE source IS NOT NULL
ORDER BY articles_named_first DESC, finds DESC, source;
