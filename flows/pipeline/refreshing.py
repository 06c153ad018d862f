"""When an archived article is looked at again: about an hour, a day and a week after it was published. Pure.

Most edits and deletions happen within these. An article that was modified is young again: the same times count from its
modification. What is older than the last of them is left alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

STAGES = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))


def next_refresh(
    checked_at: datetime, *, published_at: datetime | None, modified_at: datetime | None = None
) -> datetime | None:
    """When an article that was looked at just now is due again; None: never.

    A look shortly before a stage counts as that stage's. A date of the future is no date.
    """
    origins = [at for at in (published_at, modified_at) if at is not None and at <= checked_at]
    due = [at + stage for at in origins for stage in STAGES if checked_at + stage / 4 < at + stage]
    return min(due, default=None)
