-- How many articles name each team on each Korean day, and how many publications, with their copies.
WITH publications AS (
    SELECT id, id AS text_id, published_at FROM articles_on_topic
    UNION ALL
    SELECT id, duplicate_of, published_at FROM duplicates
)
SELECT
    CAST(publications.published_at AT TIME ZONE 'Asia/Seoul' AS DATE) AS day,
    team,
    count(*) FILTER (publications.id = text_id) AS articles,
    count(*) AS publications
FROM publications JOIN teams ON teams.id = text_id
WHERE publications.published_at IS NOT NULL
GROUP BY day, team
ORDER BY day DESC, articles DESC, team;
