-- What was found and could not be fetched: how often it was tried, and when it is tried again.
SELECT id, state, tries, due_at, publisher, title, url
FROM frontier
WHERE due_at IS NOT NULL
ORDER BY due_at, id;
