-- The 50 texts that most publications copied, and by how many different publishers.
SELECT
    articles.id,
    articles.publisher,
    articles.published_at,
    copied.copies,
    copied.publishers,
    articles.title
FROM articles_on_topic AS articles JOIN (
    SELECT duplicate_of AS id, count(*) AS copies, count(DISTINCT publisher) AS publishers
    FROM duplicates
    GROUP BY duplicate_of
) AS copied USING (id)
ORDER BY copies DESC, articles.id
LIMIT 50;
