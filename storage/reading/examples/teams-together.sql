-- Which teams are named in the same article, and how often.
SELECT one.team, other.team AS other_team, count(*) AS articles
FROM teams AS one JOIN teams AS other ON one.id = other.id AND one.team < other.team
GROUP BY ALL
ORDER BY articles DESC, one.team, other_team;
