-- The 50 newest articles: when, who, which teams.
SELECT published_at, publisher, teams, title, url
FROM articles_on_topic
ORDER BY published_at DESC NULLS LAST, id
LIMIT 50;
