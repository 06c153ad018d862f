"""Documents as the generator of the existing archive writes them, in both dialects, with and without comments."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.article import Article

CRAWLED = datetime(2026, 3, 4, 8, 23, 53, tzinfo=UTC)
NO_COMMENTS = "*댓글이 없습니다.*"

_ENTITIES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "`": "&#x60;", "=": "&#x3D;"}
)


def older_document(of: Article, *, escaped: bool, comments: str | None = None, count: int = 0) -> str:
    """The file of an article. `comments`: the text between its body and its footer; None for a file without any."""
    values = {
        "id": of.id,
        "title": of.title,
        "category": ", ".join(of.categories),
        "publisher": of.publisher,
        "author": of.byline,
        "published_at": f"{of.published_at:%Y-%m-%d %H:%M}" if of.published_at else "",
        "crawled_at": f"{CRAWLED:%Y-%m-%d %H:%M:%S}",
        "url": of.url,
        "oid": of.key.oid,
        "aid": of.key.aid,
        "content_hash": of.content_hash,
    }
    written = {key: _written(value, escaped) for key, value in values.items()}
    header = [f'{key}: "{value}"' if key == "title" else f"{key}: {value}" for key, value in written.items()]
    header += [] if comments is None else [f"comment_count: {count}"]
    between = "" if comments is None else f"\n\n---\n\n{_written(comments, escaped)}"
    lines = [
        *("---", *header, "---", ""),
        *(f"# {written['title']}", ""),
        *(f"**{written['publisher']}** | {written['published_at']} | {written['category']}", "", "---", ""),
        *(_written(of.body, escaped) + between, "", "---", ""),
        *(f"*Crawled at: {written['crawled_at']}*", f"*Source: [원문 보기]({written['url']})*", ""),
    ]
    return "\n".join(lines)


def _written(text: str, escaped: bool) -> str:
    return text.translate(_ENTITIES) if escaped else text
