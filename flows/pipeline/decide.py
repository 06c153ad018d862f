"""The rules for a find, given what the archive knows. Pure: no archive, no network, no clock.

before_fetch   whether a find needs a request
next_try       when to retry a find that failed
text_loss      whether the text lost so much that the page is probably incomplete
after_parse    what a parsed article means to the archive
next_refresh   when to check an archived article again
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.article import Article, Outcome
from schemas.find import Known, Relevance, RevisionKind, Status
from schemas.nfc import nfc

RETRIED = frozenset({Outcome.FAILED, Outcome.BLOCKED, Outcome.DEFERRED})
"""Outcomes that are not final: a later run tries the article again."""

MOST_TRIES = 5
"""The number of runs that try a find before it is abandoned."""

LONGEST_PAUSE = timedelta(days=1)
"""The longest time until the next try. A later time was set while the clock was wrong: the find is due."""

REFRESH_STAGES = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
"""How long after its publication, and after its modification, an article is checked again."""

_FIRST_RETRY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of a find, the reason in a sentence, and what to store."""

    outcome: Outcome
    reason: str
    revision_kind: RevisionKind | None = None
    duplicate_of: str | None = None
    matched_by: str | None = None


def before_fetch(known: Known | None, now: datetime, *, force: bool = False) -> Decision | None:
    """The decision on a find that needs no request; None: fetch it. `force`: fetch it regardless of what is known."""
    if known is None or force:
        return None
    if known.state in RETRIED:
        return _not_due(known, now)
    if known.status in (Status.IMPORTED, Status.LISTED) and known.state is not Outcome.GONE:
        return None
    if known.status is None and known.state is not Outcome.DUPLICATE:
        return Decision(Outcome.UNCHANGED, f"known: {known.state}")
    return Decision(Outcome.UNCHANGED, "known, not due to be fetched")


def _not_due(known: Known, now: datetime) -> Decision | None:
    if known.due_at is None:
        return Decision(Outcome.UNCHANGED, f"known: {known.state} {known.tries} times, given up")
    if now < known.due_at <= now + LONGEST_PAUSE:
        reason = f"{known.state} before, to be tried again from {known.due_at:%Y-%m-%d %H:%M %Z}"
        return Decision(Outcome.DEFERRED, reason)
    return None


def next_try(known: Known | None, now: datetime, *, quarantined: bool = False) -> tuple[int, datetime | None]:
    """For a find that has just failed: how often it was tried, and when to retry it (None: never).

    `quarantined`: its page is in quarantine. It is retried every day as long as it is there, because the site may be
    repaired at any time.
    """
    tries = (known.tries if known else 0) + 1
    if tries < MOST_TRIES:
        return tries, now + _FIRST_RETRY * 4 ** (tries - 1)
    return tries, now + LONGEST_PAUSE if quarantined else None


def text_loss(stored: str, body: str, *, cut: bool = False) -> str | None:
    """Why a page probably lacks a part of its text, compared with the stored text. None: it is complete.

    `cut`: the page ends early. A text that was withdrawn or shortened on purpose looks the same: it is accepted when a
    later fetch returns it again.
    """
    before, after = "".join(stored.split()), "".join(body.split())
    if not before or before == after:
        return None
    if not after:
        return f"the page has no text, the archive has {len(before):,} characters"
    if cut:
        return f"the page is cut: it does not end with </html> and has {len(after):,} of {len(before):,} characters"
    if before.startswith(after):
        return f"the text ends after {len(after):,} of {len(before):,} characters"
    if len(after) * 2 < len(before):
        return f"the text shrank from {len(before):,} to {len(after):,} characters"
    return None


def after_parse(
    article: Article,
    known: Known | None,
    relevance: Relevance,
    *,
    relevant: bool,
    same_content: Mapping[str, str],
    same_text: Mapping[str, str],
) -> Decision:
    """What a parsed article means to the archive.

    `same_content` and `same_text` map a content hash and a text hash to the id of the first article that has it.
    """
    if known is not None and known.status in (Status.ARCHIVED, Status.IMPORTED):
        return _same_key(article, known)
    if not relevant:
        return Decision(Outcome.OFF_TOPIC, f"relevance {relevance.score:g} is below the topic's threshold")
    return _duplicate(article, same_content, same_text) or Decision(Outcome.NEW, "stored", RevisionKind.NEW)


def _same_key(article: Article, known: Known) -> Decision:
    if known.status is Status.IMPORTED:
        return Decision(
            Outcome.UNCHANGED, "the imported text is replaced by the page's richer one", RevisionKind.RE_EXTRACTED
        )
    differences = (
        ("text", article.content_hash != known.content_hash),
        ("title", nfc(article.title) != known.title),
    )
    if changed := [name for name, differs in differences if differs]:
        return Decision(Outcome.EDITED, f"another {' and '.join(changed)} under the same key", RevisionKind.EDITED)
    return Decision(Outcome.UNCHANGED, "fetched, the same text")


def _duplicate(article: Article, same_content: Mapping[str, str], same_text: Mapping[str, str]) -> Decision | None:
    # Articles without a text, such as two news flashes of a headline each, are not duplicates of each other.
    if not article.body.strip():
        return None
    for name, digest, firsts in (
        ("content_hash", article.content_hash, same_content),
        ("text_hash", article.text_hash, same_text),
    ):
        first = firsts.get(digest)
        if first is not None and first != article.id:
            return Decision(Outcome.DUPLICATE, f"the text of {first}", duplicate_of=first, matched_by=name)
    return None


def next_refresh(
    checked_at: datetime, *, published_at: datetime | None, modified_at: datetime | None = None
) -> datetime | None:
    """When to check an article again that has just been checked; None: never.

    Most edits and deletions happen within a week of the publication. A check shortly before one of REFRESH_STAGES
    counts as that stage's. A date in the future is ignored.
    """
    origins = [at for at in (published_at, modified_at) if at is not None and at <= checked_at]
    due = [at + stage for at in origins for stage in REFRESH_STAGES if checked_at + stage / 4 < at + stage]
    return min(due, default=None)
