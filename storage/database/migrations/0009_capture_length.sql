-- How long the record of a capture is; NULL where it was stored before this. With it, a record in an object store is read
-- in one request.
ALTER TABLE articles ADD COLUMN capture_length BIGINT;
ALTER TABLE superseded ADD COLUMN capture_length BIGINT;
ALTER TABLE duplicates ADD COLUMN capture_length BIGINT;
ALTER TABLE frontier ADD COLUMN capture_length BIGINT;
ALTER TABLE quarantine ADD COLUMN capture_length BIGINT;

CREATE OR REPLACE VIEW revisions AS
    SELECT * FROM superseded
    UNION ALL BY NAME
    SELECT * FROM articles;

CREATE OR REPLACE VIEW articles_on_topic AS
    SELECT * FROM articles
    WHERE coalesce(
        on_topic,
        status <> 'imported' OR relevance >= (SELECT arg_max(topic_threshold, number) FROM runs),
        false
    );
