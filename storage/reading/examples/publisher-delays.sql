-- How many minutes after the first publisher each one published a text that several have, and how often it was first.
WITH publications AS (
    SELECT id AS text_id, id, publisher, published_at FROM articles_on_topic
    WHERE id IN (SELECT duplicate_of FROM duplicates)
    UNION ALL
    SELECT duplicate_of, id, publisher, published_at FROM duplicates
    WHERE duplicate_of IN (SELECT id FROM articles_on_topic)
), ranked AS (
    SELECT
        publisher,
        date_diff('second', min(published_at) OVER one, published_at) / 60 AS minutes,
        row_number() OVER (one ORDER BY published_at, id) AS place,
        count(*) OVER one AS places
    FROM publications
    WHERE published_at IS NOT NULL
    WINDOW one AS (PARTITION BY text_id)
)
SELECT
    publisher,
    count(*) AS shared_texts,
    count(*) FILTER (place = 1) AS first,
    round(median(minutes) FILTER (place > 1), 1) AS median_minutes_after,
    round(max(minutes) FILTER (place > 1), 1) AS longest_minutes_after
FROM ranked
WHERE places > 1
GROUP BY publisher
ORDER BY median_minutes_after NULLS FIRST, publisher;
