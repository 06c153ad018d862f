-- Share of voice by month, a column for each: how many percent of the articles that name any team name this one.
WITH spoken AS (
    SELECT DISTINCT strftime(published_at AT TIME ZONE 'Asia/Seoul', '%Y-%m') AS month, id, team
    FROM teams
    WHERE published_at IS NOT NULL
), total AS (
    SELECT month, count(DISTINCT id) AS articles FROM spoken GROUP BY month
), shares AS (
    SELECT month, team, round(100.0 * count(*) / any_value(total.articles), 1) AS percent
    FROM spoken JOIN total USING (month)
    GROUP BY month, team
)
PIVOT shares ON month USING any_value(percent) GROUP BY team ORDER BY team;
