-- The 50 stories with the most copies: who was first, and how many copies came within an hour.
WITH copies AS (
    SELECT story, minutes_behind FROM story_members WHERE id <> story
    UNION ALL
    SELECT
        m.story,
        date_diff('minute', s.first_at, d.published_at)
    FROM duplicates d JOIN story_members m ON m.id = d.duplicate_of JOIN stories s USING (story)
)
SELECT
    story,
    any_value(first.publisher) AS first_publisher,
    any_value(first.published_at) AS first_at,
    count(*) AS copies,
    count(*) FILTER (minutes_behind <= 60) AS within_an_hour,
    any_value(first.title) AS title
FROM copies JOIN articles_on_topic AS first ON first.id = story
GROUP BY story
ORDER BY copies DESC, story
LIMIT 50;
