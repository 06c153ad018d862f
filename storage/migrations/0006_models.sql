-- Which models of its teams a text names; NULL for none. Texts stored before this name none until they are read again:
-- a default, or an UPDATE, would take minutes for each 100,000 rows.
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
        coalesce(list_transform(list_filter(models, lambda one: one.team = team), lambda one: one.model), []) AS models,
        published_at,
        publisher
    FROM (SELECT id, unnest(teams) AS team, models, published_at, publisher FROM articles);
