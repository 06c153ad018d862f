"""What is to be done with a find, given what the archive knows. Pure: no archive, no network, no clock.

Twice on an article's way: before the fetch (`before_fetch`: is it worth a request?) and after the parse (`judge`: what
is it to the archive?).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.article import Article, Outcome
from schemas.find import Known, Relevance, RevisionKind, Status
from schemas.nfc import nfc

RETRIED = frozenset({Outcome.FAILED, Outcome.BLOCKED, Outcome.DEFERRED})
"""Outcomes that say nothing final about an article: the next run takes it up again."""

MOST_TRIES = 5
"""Runs that try a find before it is given up."""

_FIRST_RETRY = timedelta(minutes=15)

LONGEST_PAUSE = timedelta(days=1)
"""No find is put off for longer. A time beyond was written by a clock that was ahead: the find is due."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome and the sentence for it; what to store with it."""

    outcome: Outcome
    reason: str
    revision_kind: RevisionKind | None = None
    duplicate_of: str | None = None
    matched_by: str | None = None


def before_fetch(known: Known | None, now: datetime, *, named_by_hand: bool = False) -> Verdict | None:
    """The verdict on a find that needs no request; None: fetch it.

    `named_by_hand`: a person gave the address, so it is fetched whatever the archive holds.
    """
    if known is None or named_by_hand:
        return None
    if known.state in RETRIED:
        return _not_due(known, now)
    if known.status in (Status.IMPORTED, Status.LISTED) and known.state is not Outcome.GONE:
        return None
    if known.status is None and known.state is not Outcome.DUPLICATE:
        return Verdict(Outcome.UNCHANGED, f"known: {known.state}")
    return Verdict(Outcome.UNCHANGED, "known, not due to be fetched")


def next_try(known: Known | None, now: datetime, *, held: bool = False) -> tuple[int, datetime | None]:
    """Of a find that failed now: how often it was tried, and when it is to be tried again (None: never).

    `held`: its page is in quarantine. It is tried daily for as long as it is: the site may heal at any time.
    """
    tries = (known.tries if known else 0) + 1
    if tries < MOST_TRIES:
        return tries, now + _FIRST_RETRY * 4 ** (tries - 1)
    return tries, now + LONGEST_PAUSE if held else None


def judge(
    article: Article,
    known: Known | None,
    relevance: Relevance,
    *,
    relevant: bool,
    same_content: Mapping[str, str],
    same_text: Mapping[str, str],
) -> Verdict:
    """What a parsed article is to the archive.

    `same_content` and `same_text` give the id of the first article with a content hash, with a text hash.
    """
    if known is not None and known.status in (Status.ARCHIVED, Status.IMPORTED):
        return _same_key(article, known)
    if not relevant:
        return Verdict(Outcome.OFF_TOPIC, f"relevance {relevance.score:g} is below the topic's threshold")
    return _other_key(article, same_content, same_text) or Verdict(Outcome.NEW, "stored", RevisionKind.NEW)


def _not_due(known: Known, now: datetime) -> Verdict | None:
    if known.due_at is None:
        return Verdict(Outcome.UNCHANGED, f"known: {known.state} {known.tries} times, given up")
    if now < known.due_at <= now + LONGEST_PAUSE:
        return Verdict(
            Outcome.DEFERRED, f"{known.state} before, to be tried again from {known.due_at:%Y-%m-%d %H:%M %Z}"
        )
    return None


def _same_key(article: Article, known: Known) -> Verdict:
    if known.status is Status.IMPORTED:
        return Verdict(
            Outcome.UNCHANGED, "the imported text is replaced by the page's richer one", RevisionKind.RE_EXTRACTED
        )
    changed = [
        name
        for name, differs in (
            ("text", article.content_hash != known.content_hash),
            ("title", nfc(article.title) != known.title),
        )
        if differs
    ]
    if changed:
        return Verdict(Outcome.EDITED, f"another {' and '.join(changed)} under the same key", RevisionKind.EDITED)
    return Verdict(Outcome.UNCHANGED, "fetched, the same text")


def _other_key(article: Article, same_content: Mapping[str, str], same_text: Mapping[str, str]) -> Verdict | None:
    # Two flashes of a headline only are not copies of each other: an empty text is nobody's.
    if not article.body.strip():
        return None
    for name, digest, firsts in (
        ("content_hash", article.content_hash, same_content),
        ("text_hash", article.text_hash, same_text),
    ):
        first = firsts.get(digest)
        if first is not None and first != article.id:
            return Verdict(Outcome.DUPLICATE, f"the text of {first}", duplicate_of=first, matched_by=name)
    return None
