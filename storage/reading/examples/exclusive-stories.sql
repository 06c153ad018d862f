-- Exclusive stories by publisher: articles whose text is in no other publisher's article, and their share.
WITH shared AS (
    SELECT id FROM story_members JOIN stories USING (story) WHERE publishers > 1
    UNION
    SELECT a.id FROM articles a JOIN duplicates d ON d.duplicate_of = a.id AND d.publisher IS DISTINCT FROM a.publisher
)
SELECT
    publisher,
    count(*) FILTER (id NOT IN (SELECT id FROM shared)) AS exclusive,
    count(*) AS articles,
    round(100 * exclusive / articles, 1) AS percent
FROM articles_on_topic
WHERE body <> '' AND publisher IS NOT NULL
GROUP BY publisher
ORDER BY exclusive DESC, publisher;
