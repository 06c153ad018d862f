"""Where an article's Markdown file lies."""

from __future__ import annotations

from datetime import datetime

from schemas.article import SEOUL, ArticleKey


def path_of(key: ArticleKey, published_at: datetime | None) -> str:
    """The file's path inside the archive: by Korean day of publication, `articles/2025/12/30/119_0003042504.md`.

    An article without a day lies in `articles/undated/`. The path is made of digits only (ArticleKey sees to that),
    so nothing that a page says can lead out of the archive.
    """
    folder = published_at.astimezone(SEOUL).strftime("%Y/%m/%d") if published_at else "undated"
    return f"articles/{folder}/{key.id}.md"
