-- Which models of its teams a text names. What was stored before this names none, until it is read again.
ALTER TABLE articles ADD COLUMN models STRUCT(team VARCHAR, model VARCHAR)[];
ALTER TABLE superseded ADD COLUMN models STRUCT(team VARCHAR, model VARCHAR)[];
UPDATE articles SET models = [];
UPDATE superseded SET models = [];

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
