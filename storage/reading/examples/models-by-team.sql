-- How many articles name each model, since when, and what percentage of its team's articles that is.
SELECT
    team,
    model,
    count(*) AS articles,
    min(published_at) AS first_named,
    round(100.0 * count(*) / any_value(of_team), 1) AS percent
FROM (
    SELECT team, unnest(models) AS model, published_at, count(*) OVER (PARTITION BY team) AS of_team FROM teams
)
GROUP BY team, model
ORDER BY team, articles DESC, model;
