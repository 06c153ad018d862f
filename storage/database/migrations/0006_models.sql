-- Which models of its teams a text names; NULL where it was stored before this. (A default, or an UPDATE, would take minutes
-- for each 100,000 rows.)
ALTER TABLE articles ADD COLUMN models STRUCT(team VARCHAR, model VARCHAR)[];
ALTER TABLE superseded ADD COLUMN models STRUCT(team VARCHAR, model VARCHAR)[];

CREATE OR REPLACE VIEW revisions AS
    SELECT * FROM superseded
    UNION ALL BY NAME
    SELECT * FROM articles;

DROP VIEW article_teams;
CREATE VIEW teams AS
    SELECT
        id,
        team,
        list_transform(list_filter(models, lambda one: one.team = team), lambda one: one.model) AS models,
        published_at,
        publisher
    FROM (SELECT id, unnest(teams) AS team, models, published_at, publisher FROM articles);

-- A run that has not ended shows what it has stored so far.
CREATE OR REPLACE VIEW archive_info AS
    SELECT
        (SELECT arg_max(run_id, number) FROM runs) AS run_id,
        greatest(
            (SELECT max(coalesce(finished_at, started_at)) FROM runs), (SELECT max(changed_at) FROM events)
        ) AS as_of,
        (SELECT count(*) FROM articles) AS articles,
        (SELECT count(*) FROM superseded) AS older_revisions,
        (SELECT count(*) FROM duplicates) AS duplicates,
        (SELECT max(seq) FROM events) AS newest_event,
        (SELECT max(version) FROM schema_version) AS schema_version;
