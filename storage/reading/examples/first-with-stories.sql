-- Who is first: how many of the stories of several publishers each one had first, and how far behind it was otherwise.
SELECT
    publisher,
    count(*) FILTER (m.id = m.story) AS first,
    count(*) FILTER (m.id <> m.story) AS later,
    median(minutes_behind) FILTER (m.id <> m.story) AS median_minutes_behind,
    round(100 * median(share) FILTER (m.id <> m.story)) AS median_percent_copied
FROM story_members m JOIN stories USING (story) JOIN articles_on_topic AS articles ON articles.id = m.id
WHERE publishers > 1
GROUP BY publisher
ORDER BY first DESC, later DESC, publisher;
