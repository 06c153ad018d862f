-- The 50 newest articles: when, who, which teams.
SELECT published_at, publisher, teams, title, url
FROM articles
ORDER BY published_at DESC NULLS LAST, id
LIMIT 50;
