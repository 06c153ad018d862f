-- What people ask for, as views; and what every table, view and column holds (docs/tables.md is made from it).

CREATE VIEW article_teams AS
    SELECT id, unnest(teams) AS team, published_at, publisher FROM articles;

CREATE VIEW publishers AS
    SELECT
        publisher,
        min(oid) AS oid,
        count(*) AS articles,
        min(published_at) AS first_published_at,
        max(published_at) AS last_published_at
    FROM articles
    WHERE publisher IS NOT NULL
    GROUP BY publisher;

CREATE VIEW daily AS
    SELECT
        CAST(published_at AT TIME ZONE 'Asia/Seoul' AS DATE) AS day,
        count(*) AS articles,
        count(DISTINCT publisher) AS publishers,
        count(*) FILTER (WHERE revision > 1) AS revised
    FROM articles
    WHERE published_at IS NOT NULL
    GROUP BY day;

CREATE VIEW revision_changes AS
    SELECT
        id,
        revision,
        revision_kind,
        crawled_at,
        run_id,
        list_filter([
            CASE WHEN title IS DISTINCT FROM before_title THEN 'title' END,
            CASE WHEN text_hash IS DISTINCT FROM before_text_hash THEN 'body' END,
            CASE WHEN text_hash IS NOT DISTINCT FROM before_text_hash
                  AND content_hash IS DISTINCT FROM before_content_hash THEN 'white space' END,
            CASE WHEN byline IS DISTINCT FROM before_byline THEN 'byline' END,
            CASE WHEN published_at IS DISTINCT FROM before_published_at
                   OR modified_at IS DISTINCT FROM before_modified_at THEN 'time' END,
            CASE WHEN body IS NOT NULL AND before_body IS NOT NULL
                  AND regexp_matches(body, '정정보도|바로잡습니다|바로 잡습니다|정정합니다')
                  AND NOT regexp_matches(before_body, '정정보도|바로잡습니다|바로 잡습니다|정정합니다')
                 THEN 'correction notice' END
        ], lambda what: what IS NOT NULL) AS changed
    FROM (
        SELECT
            *,
            lag(title) OVER one AS before_title,
            lag(body) OVER one AS before_body,
            lag(text_hash) OVER one AS before_text_hash,
            lag(content_hash) OVER one AS before_content_hash,
            lag(byline) OVER one AS before_byline,
            lag(published_at) OVER one AS before_published_at,
            lag(modified_at) OVER one AS before_modified_at
        FROM revisions
        WHERE id IN (SELECT id FROM superseded)
        WINDOW one AS (PARTITION BY id ORDER BY revision)
    )
    WHERE revision > 1;

CREATE MACRO articles_as_of(moment) AS TABLE
    SELECT revisions.* FROM revisions SEMI JOIN (
        SELECT id, max(revision) AS revision FROM revisions WHERE crawled_at <= moment GROUP BY id
    ) USING (id, revision);

CREATE VIEW archive_info AS
    SELECT
        (SELECT arg_max(run_id, number) FROM runs) AS run_id,
        (SELECT max(coalesce(finished_at, started_at)) FROM runs) AS as_of,
        (SELECT count(*) FROM articles) AS articles,
        (SELECT count(*) FROM superseded) AS older_revisions,
        (SELECT count(*) FROM duplicates) AS duplicates,
        (SELECT max(seq) FROM events) AS newest_event,
        (SELECT max(version) FROM schema_version) AS schema_version;

-- Comments

COMMENT ON TABLE articles IS 'One row an article: its newest text.';
COMMENT ON COLUMN articles.id IS '`{oid}_{aid}`, such as `119_0003042504`; a text that came without an address begins otherwise';
COMMENT ON COLUMN articles.oid IS 'number of the press office, 3 digits';
COMMENT ON COLUMN articles.aid IS 'number of the article at its press office, 10 digits';
COMMENT ON COLUMN articles.url IS 'the article''s page at Naver';
COMMENT ON COLUMN articles.status IS '`archived`: text and file; `listed`: only what a source said, as robots.txt forbids the page; `imported`: from an older archive, not yet seen by a crawl';
COMMENT ON COLUMN articles.title IS 'headline, in normal form C';
COMMENT ON COLUMN articles.subtitle IS 'lines below the headline';
COMMENT ON COLUMN articles.body IS 'the text: paragraphs with an empty line between, the subtitle first; empty for a flash of one headline';
COMMENT ON COLUMN articles.description IS 'the snippet that a search showed';
COMMENT ON COLUMN articles.publisher IS 'name of the press office';
COMMENT ON COLUMN articles.byline IS 'the byline as the page has it';
COMMENT ON COLUMN articles.authors IS 'name and e-mail of each person of the byline';
COMMENT ON COLUMN articles.categories IS 'the press office''s own categories, else Naver''s section';
COMMENT ON COLUMN articles.published_at IS 'time of publication';
COMMENT ON COLUMN articles.modified_at IS 'time of the last change, as the page says; NULL where it says none';
COMMENT ON COLUMN articles.crawled_at IS 'when the page was fetched that this text was read from';
COMMENT ON COLUMN articles.original_url IS 'the article at the publisher''s own site';
COMMENT ON COLUMN articles.images IS 'address and caption of each picture';
COMMENT ON COLUMN articles.kind IS '`text`, `photo`, `video`, `flash`';
COMMENT ON COLUMN articles.content_hash IS 'SHA-256 of the body as the page has it: what the Markdown files go by';
COMMENT ON COLUMN articles.text_hash IS 'SHA-256 of the body''s normal form C without white space: the same for two layouts of one text';
COMMENT ON COLUMN articles.parser IS 'name and version of the parser that read it';
COMMENT ON COLUMN articles.revision IS 'number of this text under its id: 1 for the first';
COMMENT ON COLUMN articles.revision_kind IS 'why the text was stored: `new`, `imported`, `edited` (the publisher changed it), `re-extracted` (read anew, and better)';
COMMENT ON COLUMN articles.relevance IS 'how much the text is about the topic; NULL where it was not asked';
COMMENT ON COLUMN articles.reasons IS 'why: one entry a rule of the topic file that found something';
COMMENT ON COLUMN articles.teams IS 'teams of the topic file that the text speaks of';
COMMENT ON COLUMN articles.source IS 'the source that named the article first, such as `search_api:소버린 AI`';
COMMENT ON COLUMN articles.file IS 'path of its Markdown file in the archive';
COMMENT ON COLUMN articles.capture_file IS 'WARC file with the answer that the text was read from';
COMMENT ON COLUMN articles.capture_offset IS 'first byte of that record in the file';
COMMENT ON COLUMN articles.run_id IS 'the run that stored the row';
COMMENT ON COLUMN articles.file_sha256 IS 'SHA-256 of the Markdown file';

COMMENT ON TABLE superseded IS 'Texts that a newer one replaced; the columns of `articles`.';
COMMENT ON COLUMN superseded.id IS '`{oid}_{aid}`, such as `119_0003042504`; a text that came without an address begins otherwise';
COMMENT ON COLUMN superseded.oid IS 'number of the press office, 3 digits';
COMMENT ON COLUMN superseded.aid IS 'number of the article at its press office, 10 digits';
COMMENT ON COLUMN superseded.url IS 'the article''s page at Naver';
COMMENT ON COLUMN superseded.status IS '`archived`: text and file; `listed`: only what a source said, as robots.txt forbids the page; `imported`: from an older archive, not yet seen by a crawl';
COMMENT ON COLUMN superseded.title IS 'headline, in normal form C';
COMMENT ON COLUMN superseded.subtitle IS 'lines below the headline';
COMMENT ON COLUMN superseded.body IS 'the text: paragraphs with an empty line between, the subtitle first; empty for a flash of one headline';
COMMENT ON COLUMN superseded.description IS 'the snippet that a search showed';
COMMENT ON COLUMN superseded.publisher IS 'name of the press office';
COMMENT ON COLUMN superseded.byline IS 'the byline as the page has it';
COMMENT ON COLUMN superseded.authors IS 'name and e-mail of each person of the byline';
COMMENT ON COLUMN superseded.categories IS 'the press office''s own categories, else Naver''s section';
COMMENT ON COLUMN superseded.published_at IS 'time of publication';
COMMENT ON COLUMN superseded.modified_at IS 'time of the last change, as the page says; NULL where it says none';
COMMENT ON COLUMN superseded.crawled_at IS 'when the page was fetched that this text was read from';
COMMENT ON COLUMN superseded.original_url IS 'the article at the publisher''s own site';
COMMENT ON COLUMN superseded.images IS 'address and caption of each picture';
COMMENT ON COLUMN superseded.kind IS '`text`, `photo`, `video`, `flash`';
COMMENT ON COLUMN superseded.content_hash IS 'SHA-256 of the body as the page has it: what the Markdown files go by';
COMMENT ON COLUMN superseded.text_hash IS 'SHA-256 of the body''s normal form C without white space: the same for two layouts of one text';
COMMENT ON COLUMN superseded.parser IS 'name and version of the parser that read it';
COMMENT ON COLUMN superseded.revision IS 'number of this text under its id: 1 for the first';
COMMENT ON COLUMN superseded.revision_kind IS 'why the text was stored: `new`, `imported`, `edited` (the publisher changed it), `re-extracted` (read anew, and better)';
COMMENT ON COLUMN superseded.relevance IS 'how much the text is about the topic; NULL where it was not asked';
COMMENT ON COLUMN superseded.reasons IS 'why: one entry a rule of the topic file that found something';
COMMENT ON COLUMN superseded.teams IS 'teams of the topic file that the text speaks of';
COMMENT ON COLUMN superseded.source IS 'the source that named the article first, such as `search_api:소버린 AI`';
COMMENT ON COLUMN superseded.file IS 'path of its Markdown file in the archive';
COMMENT ON COLUMN superseded.capture_file IS 'WARC file with the answer that the text was read from';
COMMENT ON COLUMN superseded.capture_offset IS 'first byte of that record in the file';
COMMENT ON COLUMN superseded.run_id IS 'the run that stored the row';
COMMENT ON COLUMN superseded.file_sha256 IS 'SHA-256 of the Markdown file';

COMMENT ON VIEW revisions IS 'Every text of every article, old and new: `articles` and `superseded` together.';
COMMENT ON COLUMN revisions.id IS '`{oid}_{aid}`, such as `119_0003042504`; a text that came without an address begins otherwise';
COMMENT ON COLUMN revisions.oid IS 'number of the press office, 3 digits';
COMMENT ON COLUMN revisions.aid IS 'number of the article at its press office, 10 digits';
COMMENT ON COLUMN revisions.url IS 'the article''s page at Naver';
COMMENT ON COLUMN revisions.status IS '`archived`: text and file; `listed`: only what a source said, as robots.txt forbids the page; `imported`: from an older archive, not yet seen by a crawl';
COMMENT ON COLUMN revisions.title IS 'headline, in normal form C';
COMMENT ON COLUMN revisions.subtitle IS 'lines below the headline';
COMMENT ON COLUMN revisions.body IS 'the text: paragraphs with an empty line between, the subtitle first; empty for a flash of one headline';
COMMENT ON COLUMN revisions.description IS 'the snippet that a search showed';
COMMENT ON COLUMN revisions.publisher IS 'name of the press office';
COMMENT ON COLUMN revisions.byline IS 'the byline as the page has it';
COMMENT ON COLUMN revisions.authors IS 'name and e-mail of each person of the byline';
COMMENT ON COLUMN revisions.categories IS 'the press office''s own categories, else Naver''s section';
COMMENT ON COLUMN revisions.published_at IS 'time of publication';
COMMENT ON COLUMN revisions.modified_at IS 'time of the last change, as the page says; NULL where it says none';
COMMENT ON COLUMN revisions.crawled_at IS 'when the page was fetched that this text was read from';
COMMENT ON COLUMN revisions.original_url IS 'the article at the publisher''s own site';
COMMENT ON COLUMN revisions.images IS 'address and caption of each picture';
COMMENT ON COLUMN revisions.kind IS '`text`, `photo`, `video`, `flash`';
COMMENT ON COLUMN revisions.content_hash IS 'SHA-256 of the body as the page has it: what the Markdown files go by';
COMMENT ON COLUMN revisions.text_hash IS 'SHA-256 of the body''s normal form C without white space: the same for two layouts of one text';
COMMENT ON COLUMN revisions.parser IS 'name and version of the parser that read it';
COMMENT ON COLUMN revisions.revision IS 'number of this text under its id: 1 for the first';
COMMENT ON COLUMN revisions.revision_kind IS 'why the text was stored: `new`, `imported`, `edited` (the publisher changed it), `re-extracted` (read anew, and better)';
COMMENT ON COLUMN revisions.relevance IS 'how much the text is about the topic; NULL where it was not asked';
COMMENT ON COLUMN revisions.reasons IS 'why: one entry a rule of the topic file that found something';
COMMENT ON COLUMN revisions.teams IS 'teams of the topic file that the text speaks of';
COMMENT ON COLUMN revisions.source IS 'the source that named the article first, such as `search_api:소버린 AI`';
COMMENT ON COLUMN revisions.file IS 'path of its Markdown file in the archive';
COMMENT ON COLUMN revisions.capture_file IS 'WARC file with the answer that the text was read from';
COMMENT ON COLUMN revisions.capture_offset IS 'first byte of that record in the file';
COMMENT ON COLUMN revisions.run_id IS 'the run that stored the row';
COMMENT ON COLUMN revisions.file_sha256 IS 'SHA-256 of the Markdown file';

COMMENT ON TABLE duplicates IS 'One row an article that bears the text of another: it points at the first, and has no text and no file of its own.';
COMMENT ON COLUMN duplicates.id IS '`{oid}_{aid}`, such as `119_0003042504`; a text that came without an address begins otherwise';
COMMENT ON COLUMN duplicates.title IS 'headline, in normal form C';
COMMENT ON COLUMN duplicates.publisher IS 'name of the press office';
COMMENT ON COLUMN duplicates.byline IS 'the byline as the page has it';
COMMENT ON COLUMN duplicates.published_at IS 'time of publication';
COMMENT ON COLUMN duplicates.crawled_at IS 'when the page was fetched that this text was read from';
COMMENT ON COLUMN duplicates.url IS 'the article''s page at Naver';
COMMENT ON COLUMN duplicates.original_url IS 'the article at the publisher''s own site';
COMMENT ON COLUMN duplicates.content_hash IS 'SHA-256 of the body as the page has it: what the Markdown files go by';
COMMENT ON COLUMN duplicates.text_hash IS 'SHA-256 of the body''s normal form C without white space: the same for two layouts of one text';
COMMENT ON COLUMN duplicates.source IS 'the source that named the article first, such as `search_api:소버린 AI`';
COMMENT ON COLUMN duplicates.capture_file IS 'WARC file with the answer that the text was read from';
COMMENT ON COLUMN duplicates.capture_offset IS 'first byte of that record in the file';
COMMENT ON COLUMN duplicates.run_id IS 'the run that stored the row';
COMMENT ON COLUMN duplicates.duplicate_of IS 'id of the article with the text';
COMMENT ON COLUMN duplicates.matched_by IS '`content_hash`: byte for byte the same; `text_hash`: the same but for white space';

COMMENT ON TABLE frontier IS 'One row a key that was ever found: how its last find ended, and when it is to be tried or looked at again.';
COMMENT ON COLUMN frontier.id IS '`{oid}_{aid}`, such as `119_0003042504`; a text that came without an address begins otherwise';
COMMENT ON COLUMN frontier.state IS 'outcome of the last find that said something new';
COMMENT ON COLUMN frontier.tries IS 'runs that failed to fetch it since it last went well';
COMMENT ON COLUMN frontier.due_at IS 'when a find that failed is to be tried again; NULL: never by itself';
COMMENT ON COLUMN frontier.found_at IS 'start of the run that first found it';
COMMENT ON COLUMN frontier.url IS 'address as the source named it';
COMMENT ON COLUMN frontier.source IS 'the source that named the article first, such as `search_api:소버린 AI`';
COMMENT ON COLUMN frontier.title IS 'title as the source named it';
COMMENT ON COLUMN frontier.description IS 'snippet as the source gave it';
COMMENT ON COLUMN frontier.publisher IS 'press office as the source named it';
COMMENT ON COLUMN frontier.published_at IS 'time of publication, as the source or the page has it';
COMMENT ON COLUMN frontier.original_url IS 'the article at the publisher''s own site';
COMMENT ON COLUMN frontier.run_id IS 'the run that last said something new';
COMMENT ON COLUMN frontier.checked_at IS 'when its page was last asked for';
COMMENT ON COLUMN frontier.refresh_at IS 'when an archived article is to be looked at again; NULL: never';
COMMENT ON COLUMN frontier.etag IS 'header ETag of its newest page';
COMMENT ON COLUMN frontier.last_modified IS 'header Last-Modified of its newest page';
COMMENT ON COLUMN frontier.gone_at IS 'since when it is known to be deleted; NULL: it is there, as far as anybody knows';

COMMENT ON TABLE finds IS 'One row a find: an article that a source named in a run, and how that ended.';
COMMENT ON COLUMN finds.run_id IS 'the run';
COMMENT ON COLUMN finds.id IS '`{oid}_{aid}`, such as `119_0003042504`; a text that came without an address begins otherwise';
COMMENT ON COLUMN finds.source IS 'the source that named it in this run';
COMMENT ON COLUMN finds.outcome IS '`new`, `edited`, `unchanged`, `duplicate`, `off_topic`, `listed`, `gone`, `blocked`, `failed`, `deferred`';
COMMENT ON COLUMN finds.reason IS 'why, in words';
COMMENT ON COLUMN finds.title IS 'title; NULL for a find that was known';
COMMENT ON COLUMN finds.seen_at IS 'when the source named it';
COMMENT ON COLUMN finds.relevance IS 'how much the text is about the topic; NULL where it was not asked';
COMMENT ON COLUMN finds.reasons IS 'why: one entry a rule of the topic file that found something';

COMMENT ON TABLE runs IS 'One row a run: its receipt.';
COMMENT ON COLUMN runs.run_id IS 'start and a random end: `20251230T082353Z-1f9c03ab`';
COMMENT ON COLUMN runs.command IS '`crawl`, `refresh`, `backfill`, `import`, `reparse`, `repair`';
COMMENT ON COLUMN runs.topic IS 'name of the topic file';
COMMENT ON COLUMN runs.started_at IS 'when it began';
COMMENT ON COLUMN runs.finished_at IS 'when it ended; NULL for one that was killed';
COMMENT ON COLUMN runs.exit_reason IS 'why it ended: `done`, `nothing_new`, `layout_changed` …; `interrupted` for one that was killed';
COMMENT ON COLUMN runs.finds IS 'finds taken up';
COMMENT ON COLUMN runs.outcomes IS 'finds by outcome';
COMMENT ON COLUMN runs.requests IS 'requests on the wire';
COMMENT ON COLUMN runs.bytes IS 'bytes received';
COMMENT ON COLUMN runs.receipt IS 'the whole receipt as JSON';
COMMENT ON COLUMN runs.number IS 'order of the runs, whatever the clock said';
COMMENT ON COLUMN runs.batches IS 'entries of the run''s journal that the database holds';

COMMENT ON TABLE requests IS 'One row a request on the wire, also those for robots.txt, redirects and retries.';
COMMENT ON COLUMN requests.run_id IS 'the run';
COMMENT ON COLUMN requests.started_at IS 'when it was sent';
COMMENT ON COLUMN requests.host IS 'host that was asked';
COMMENT ON COLUMN requests.url IS 'address, without any key';
COMMENT ON COLUMN requests.status IS 'HTTP status; NULL without an answer';
COMMENT ON COLUMN requests.received IS 'bytes received, as sent';
COMMENT ON COLUMN requests.seconds IS 'from sending to the last byte';
COMMENT ON COLUMN requests.attempt IS 'counts from 1 the tries of one fetch';
COMMENT ON COLUMN requests.why IS 'what for: `article`, `robots`, or the source';
COMMENT ON COLUMN requests.fault IS 'what went wrong';

COMMENT ON TABLE cursors IS 'How far each source has been read: the next run asks for what is newer, minus the topic''s lag.';
COMMENT ON COLUMN cursors.source IS 'the source';
COMMENT ON COLUMN cursors.watermark IS 'read up to here';
COMMENT ON COLUMN cursors.run_id IS 'the run that read it';

COMMENT ON TABLE coverage IS 'Which times of each source have been read. Stretches of one source do not overlap.';
COMMENT ON COLUMN coverage.source IS 'the source';
COMMENT ON COLUMN coverage.since IS 'begin, included';
COMMENT ON COLUMN coverage.until IS 'end, not included';
COMMENT ON COLUMN coverage.state IS '`closed`: read through; `gap`: asked for and not read';
COMMENT ON COLUMN coverage.reason IS 'why a gap is one';
COMMENT ON COLUMN coverage.run_id IS 'the run that read it last';

COMMENT ON TABLE quarantine IS 'Articles whose newest page is held back, because it could not be read as it should be.';
COMMENT ON COLUMN quarantine.id IS '`{oid}_{aid}`, such as `119_0003042504`; a text that came without an address begins otherwise';
COMMENT ON COLUMN quarantine.url IS 'its address';
COMMENT ON COLUMN quarantine.reason IS 'why it is held back';
COMMENT ON COLUMN quarantine.capture_file IS 'WARC file with the page';
COMMENT ON COLUMN quarantine.capture_offset IS 'first byte of that record in the file';
COMMENT ON COLUMN quarantine.held_at IS 'when the page was fetched';
COMMENT ON COLUMN quarantine.run_id IS 'the run that held it back';

COMMENT ON TABLE events IS 'The change feed: one row a change of what the archive shows, in order.';
COMMENT ON COLUMN events.seq IS 'grows; survives a rebuild: whoever kept the last one asks for greater ones';
COMMENT ON COLUMN events.changed_at IS 'when the page was fetched that told of it';
COMMENT ON COLUMN events.kind IS '`inserted`, `edited`, `re-extracted`, `duplicate`, `gone`, `restored`, `removed`';
COMMENT ON COLUMN events.id IS '`{oid}_{aid}`, such as `119_0003042504`; a text that came without an address begins otherwise';
COMMENT ON COLUMN events.revision IS 'number of the text that was stored, where one was';
COMMENT ON COLUMN events.duplicate_of IS 'for `duplicate`: the article with the text';
COMMENT ON COLUMN events.run_id IS 'the run';

COMMENT ON TABLE capture_files IS 'One row a finished WARC file.';
COMMENT ON COLUMN capture_files.name IS 'path in the archive';
COMMENT ON COLUMN capture_files.bytes IS 'its size';
COMMENT ON COLUMN capture_files.sha256 IS 'its SHA-256';
COMMENT ON COLUMN capture_files.run_id IS 'the run that wrote it';

COMMENT ON TABLE unprocessed IS 'Answers that a killed run left: the next takes them up instead of asking again.';
COMMENT ON COLUMN unprocessed.url IS 'address';
COMMENT ON COLUMN unprocessed.capture_file IS 'WARC file';
COMMENT ON COLUMN unprocessed.capture_offset IS 'first byte of the record';
COMMENT ON COLUMN unprocessed.fetched_at IS 'when it was fetched';

COMMENT ON TABLE schema_version IS 'Migrations that were applied.';
COMMENT ON COLUMN schema_version.version IS 'number of the migration';
COMMENT ON COLUMN schema_version.name IS 'its file';
COMMENT ON COLUMN schema_version.sha256 IS 'SHA-256 of the file';
COMMENT ON COLUMN schema_version.applied_at IS 'when';

COMMENT ON VIEW article_teams IS 'One row an article and team that it speaks of, by the topic file.';
COMMENT ON COLUMN article_teams.id IS '`{oid}_{aid}`, such as `119_0003042504`; a text that came without an address begins otherwise';
COMMENT ON COLUMN article_teams.team IS 'name of the team';
COMMENT ON COLUMN article_teams.published_at IS 'time of publication';
COMMENT ON COLUMN article_teams.publisher IS 'name of the press office';

COMMENT ON VIEW publishers IS 'One row a press office.';
COMMENT ON COLUMN publishers.publisher IS 'its name';
COMMENT ON COLUMN publishers.oid IS 'its number';
COMMENT ON COLUMN publishers.articles IS 'articles in the archive';
COMMENT ON COLUMN publishers.first_published_at IS 'time of its oldest article';
COMMENT ON COLUMN publishers.last_published_at IS 'time of its newest article';

COMMENT ON VIEW daily IS 'One row a Korean day of publication.';
COMMENT ON COLUMN daily.day IS 'the day';
COMMENT ON COLUMN daily.articles IS 'articles of that day';
COMMENT ON COLUMN daily.publishers IS 'press offices among them';
COMMENT ON COLUMN daily.revised IS 'articles that were stored more than once';

COMMENT ON VIEW revision_changes IS 'What each text after the first changed.';
COMMENT ON COLUMN revision_changes.id IS '`{oid}_{aid}`, such as `119_0003042504`; a text that came without an address begins otherwise';
COMMENT ON COLUMN revision_changes.revision IS 'number of this text under its id: 1 for the first';
COMMENT ON COLUMN revision_changes.revision_kind IS 'why the text was stored: `new`, `imported`, `edited` (the publisher changed it), `re-extracted` (read anew, and better)';
COMMENT ON COLUMN revision_changes.crawled_at IS 'when the page was fetched that this text was read from';
COMMENT ON COLUMN revision_changes.run_id IS 'the run that stored it';
COMMENT ON COLUMN revision_changes.changed IS '`title`, `body`, `white space`, `byline`, `time`, `correction notice`';

COMMENT ON VIEW archive_info IS 'One row: how fresh this copy is.';
COMMENT ON COLUMN archive_info.run_id IS 'the newest run';
COMMENT ON COLUMN archive_info.as_of IS 'when it ended';
COMMENT ON COLUMN archive_info.articles IS 'articles';
COMMENT ON COLUMN archive_info.older_revisions IS 'older texts';
COMMENT ON COLUMN archive_info.duplicates IS 'copies';
COMMENT ON COLUMN archive_info.newest_event IS 'number of the newest change';
COMMENT ON COLUMN archive_info.schema_version IS 'version of the schema';
