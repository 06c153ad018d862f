"""Values and pure functions that all other packages share. No network and no clock; only `topic` reads a file.

article.py          ArticleKey, ArticleRef (a find), Article (a parsed page), content_hash, text_hash
find.py             Known (what the archive holds of a key), FindResult (how a find ended)
page.py             RawPage, FetchFault, RequestRecord, CaptureRef
journal.py          the entries of a run's journal
segment.py          what a fetcher hands over to the archive's writer
coverage.py         which times of a source have been read: intervals and gaps
receipt.py          Receipt, ExitReason, SourceReport
traits.py           what a page looks like, and what pages have looked like so far
errors.py           all errors that seogo raises on purpose
front_matter/       the Markdown format of the archive
plain_text.py       the other file format of the existing archive
safe_text.py        text from the web, made safe to display
exported/           the records of the exports, with their JSON Schemas
topic/              the topic file
content_coding.py   gzip and deflate bodies, decoded within a size limit
counted.py          numbers with what they count
nfc.py              Unicode normal form C in linear time
"""
