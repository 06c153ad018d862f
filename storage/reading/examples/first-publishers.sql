-- Who published first: each text that others copied, who had it first and when, and how long until the last copy.
WITH publications AS (
    SELECT id AS text_id, id, publisher, published_at FROM articles_on_topic
    WHERE id IN (SELECT duplicate_of FROM duplicates)
    UNION ALL
    SELECT duplicate_of, id, publisher, published_at FROM duplicates
)
SELECT
    text_id,
    arg_min(publications.publisher, (publications.published_at, publications.id)) AS first_publisher,
    min(publications.published_at) AS first_at,
    count(*) - 1 AS copies,
    round(date_diff('second', min(publications.published_at), max(publications.published_at)) / 3600, 1) AS hours,
    any_value(articles.title) AS title
FROM publications JOIN articles_on_topic AS articles ON articles.id = text_id
WHERE publications.published_at IS NOT NULL
GROUP BY text_id
HAVING count(*) > 1
ORDER BY first_at DESC, text_id;
