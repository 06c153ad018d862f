-- Share of voice by week: each team's percentage of all mentions of teams.
SELECT
    CAST(date_trunc('week', published_at AT TIME ZONE 'Asia/Seoul') AS DATE) AS week,
    team,
    count(*) AS articles,
    round(100.0 * count(*) / sum(count(*)) OVER (PARTITION BY week), 1) AS percent
FROM teams
WHERE published_at IS NOT NULL
GROUP BY week, team
ORDER BY week DESC, articles DESC, team;
