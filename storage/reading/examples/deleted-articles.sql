-- Articles that their publisher has deleted and the archive still holds, with the file of each.
SELECT articles.id, gone_at, articles.publisher, articles.published_at, articles.title, articles.file
FROM frontier JOIN articles_on_topic AS articles USING (id)
WHERE gone_at IS NOT NULL
ORDER BY gone_at DESC, articles.id;
