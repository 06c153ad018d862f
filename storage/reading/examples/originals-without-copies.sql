-- The 50 newest articles that nobody copied and that are not copies themselves.
SELECT id, published_at, publisher, title
FROM articles_on_topic
WHERE
    body <> ''
    AND id NOT IN (SELECT id FROM story_members)
    AND id NOT IN (SELECT duplicate_of FROM duplicates)
ORDER BY published_at DESC, id
LIMIT 50;
