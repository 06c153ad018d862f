-- Share of voice by week: how many percent of the articles that name any team name this one.
WITH spoken AS (
    SELECT DISTINCT date_trunc('week', published_at AT TIME ZONE 'Asia/Seoul') AS since, id, team
    FROM teams
    WHERE published_at IS NOT NULL
), total AS (
    SELECT since, count(DISTINCT id) AS articles FROM spoken GROUP BY since
)
SELECT
    CAST(since AS DATE) AS week,
    team,
    count(*) AS articles,
    round(100.0 * count(*) / any_value(total.articles), 1) AS percent
FROM spoken JOIN total USING (since)
GROUP BY since, team
ORDER BY since DESC, articles DESC, team;
