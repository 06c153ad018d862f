-- Share of voice by month, a column for each: each team's percentage of all mentions of teams.
WITH shares AS (
    SELECT
        strftime(published_at AT TIME ZONE 'Asia/Seoul', '%Y-%m') AS month,
        team,
        round(100.0 * count(*) / sum(count(*)) OVER (PARTITION BY month), 1) AS percent
    FROM teams
    WHERE published_at IS NOT NULL
    GROUP BY month, team
)
PIVOT shares ON month USING any_value(percent) GROUP BY team ORDER BY team;
