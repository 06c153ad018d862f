"""Values and pure functions that all other packages share. No network and no clock; only `topic` reads a file.

article          ArticleKey, ArticleRef (a find), Article (a parsed page), content_hash, text_hash
find             Known (what the archive holds of a key), FindResult (how a find ended)
page             RawPage, FetchFault, RequestRecord, CaptureRef
journal          the entries of a run's journal
coverage         which times of a source have been read: intervals and gaps
receipt          Receipt, ExitReason, SourceReport
traits           what a page looks like, and what pages have looked like so far
errors           all errors that seogo raises on purpose
front_matter     the Markdown format of the archive
plain_text       the other file format of the existing archive
exported         the records of the exports, with their JSON Schemas
topic            the topic file
content_coding   gzip and deflate bodies, decoded within a size limit
nfc              Unicode normal form C in linear time
"""
