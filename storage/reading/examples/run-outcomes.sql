-- How the last 50 runs ended, and what became of their finds.
SELECT
    started_at,
    command,
    coalesce(exit_reason, 'unfinished') AS exit_reason,
    round(epoch(finished_at) - epoch(started_at), 1) AS seconds,
    requests,
    finds,
    coalesce(list_sum(map_extract(outcomes, 'new')), 0) AS "new",
    coalesce(list_sum(map_extract(outcomes, 'edited')), 0) AS edited,
    coalesce(list_sum(map_extract(outcomes, 'duplicate')), 0) AS duplicate,
    coalesce(list_sum(map_extract(outcomes, 'gone')), 0) AS gone,
    coalesce(list_sum(map_extract(outcomes, 'off_topic')), 0) AS off_topic,
    coalesce(list_sum(map_extract(outcomes, 'failed')), 0) AS failed,
    coalesce(list_sum(map_extract(outcomes, 'unchanged')), 0) AS "unchanged",
    finds - "new" - edited - duplicate - gone - off_topic - failed - "unchanged" AS others
FROM runs
ORDER BY number DESC NULLS LAST, started_at DESC
LIMIT 50;
