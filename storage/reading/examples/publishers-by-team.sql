-- Which publishers write most about each team: the first ten of each.
SELECT team, publisher, count(*) AS articles, max(published_at) AS newest
FROM teams
GROUP BY team, publisher
QUALIFY row_number() OVER (PARTITION BY team ORDER BY count(*) DESC, publisher) <= 10
ORDER BY team, articles DESC, publisher;
