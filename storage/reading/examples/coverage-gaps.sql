-- Which periods of which source could not be read, and why. `seogo backfill --gaps` reads them.
SELECT source, since, until, round(date_diff('second', since, until) / 3600, 1) AS hours, reason
FROM coverage
WHERE state = 'gap'
ORDER BY since DESC, source;
