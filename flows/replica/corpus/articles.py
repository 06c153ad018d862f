"""The generated corpus: the ground truth of every page of the replica.

    make_corpus(seed) -> Corpus -> MadeArticle -> Version

The same seed gives the same corpus in every process. Texts are generated when they are first read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from hashlib import sha256
from random import Random
from typing import overload

from flows.replica.corpus.plan import DAY, Copy, Edit, Form, Planner, Shares, Slot
from flows.replica.corpus.press import Press
from flows.replica.corpus.press import presses as first_offices
from flows.replica.corpus.subjects import SECTION_NAMES, Subject, subjects
from flows.replica.corpus.writing import Text, edited, respaced, rewritten, write
from schemas.article import SEOUL, ArticleKey, Author, Image, Kind

FIRST_NUMBER = 12_000
"""The first article number of every press office."""
LAST = datetime(2026, 10, 7, 22, 0, tzinfo=SEOUL)
"""The end of the default corpus."""
CATEGORY_LABELS = {"105": "IT", "103": "생활", "101": "경제", "100": "정치", "102": "사회", "110": "오피니언"}


class Layout(StrEnum):
    """The layout of an article's page, named after the time when Naver used it."""

    Y2022 = "2022"
    Y2024 = "2024"
    Y2026_02 = "2026-02"
    Y2026_10 = "2026-10"
    OLD = "old"  # news.naver.com/main/read.nhn
    SPORTS = "sports"  # JSON at api-gw
    ENTERTAIN = "entertain"


BYLINE_LAYOUTS = frozenset({Layout.Y2022, Layout.Y2024, Layout.Y2026_02})
"""Layouts whose pages have a separate byline."""
CARD_LAYOUTS = frozenset({Layout.SPORTS, Layout.ENTERTAIN})
"""Layouts that name the author on a journalist card."""


class Signature(StrEnum):
    """Where the text names its author."""

    NONE = "none"
    LEAD = "lead"  # (서울=가람통신) 홍길동 기자 = …, and behind the text: writer1@…
    BRACKET = "bracket"  # [가람경제 홍길동 기자]
    TAIL = "tail"  # 홍길동 기자 writer1@…


@dataclass(frozen=True, slots=True)
class Version:
    """An article's text from `since` on. `modified_at` is the time on its page: None for the first version."""

    since: datetime
    modified_at: datetime | None
    text: Text

    @property
    def title(self) -> str:
        return self.text.title

    @property
    def body(self) -> str:
        """The body as the archive stores it: subtitle and paragraphs, separated by blank lines."""
        first = (self.text.subtitle,) if self.text.subtitle else ()
        return "\n\n".join((*first, *self.text.paragraphs))


@dataclass(frozen=True)
class MadeArticle:
    """One generated article. `key` is None if Naver does not host it; `copy_of` is the first article with this text."""

    corpus: Corpus = field(repr=False, compare=False)
    index: int
    slot: Slot
    key: ArticleKey | None

    @property
    def press(self) -> Press:
        return self.corpus.offices[self.slot.press]

    @property
    def subject(self) -> Subject:
        return self.corpus.subjects[self.slot.subject]

    @property
    def on_topic(self) -> bool:
        return self.subject.on_topic

    @property
    def layout(self) -> Layout:
        if self.subject.arena:
            return Layout(self.subject.arena)
        return tuple(Layout)[self.slot.layout]

    @property
    def kind(self) -> Kind:
        return {Form.PHOTO: Kind.PHOTO, Form.VIDEO: Kind.VIDEO, Form.FLASH: Kind.FLASH}.get(self.slot.form, Kind.TEXT)

    @property
    def published_at(self) -> datetime:
        return self.corpus.moment(self.slot.since)

    @property
    def listed_at(self) -> datetime:
        """When lists and searches begin to show it; for a late arrival, this is after its time of publication."""
        return self.published_at + timedelta(seconds=self.slot.late)

    @property
    def gone_at(self) -> datetime | None:
        return self.published_at + timedelta(seconds=self.slot.gone) if self.slot.gone else None

    @property
    def copy_of(self) -> ArticleKey | None:
        return self.corpus[self.slot.origin].key if self.slot.copy is not Copy.NONE else None

    @property
    def exact_copy(self) -> bool:
        """Whether it is an exact copy, white space included."""
        return self.slot.copy is Copy.SAME

    @property
    def writer(self) -> Author | None:
        """The author; None for a guest contribution. A copy has the author of the original."""
        return self.corpus.writer(self.slot, self.index)

    @property
    def signature(self) -> Signature:
        return self.corpus.signature(self.slot, self.index)

    @property
    def authors(self) -> tuple[Author, ...]:
        """The author as far as the page in the article's own layout names one."""
        return self.authors_in(self.layout)

    def authors_in(self, layout: Layout) -> tuple[Author, ...]:
        """The author as far as a page in this layout names one: in its byline, or else in the text."""
        if self.writer is None:
            return ()
        if layout in BYLINE_LAYOUTS | CARD_LAYOUTS:
            return (self.writer,)
        if self.signature is Signature.NONE:
            return ()
        return (Author(self.writer.name) if self.signature is Signature.BRACKET else self.writer,)

    @property
    def section(self) -> str:
        return self.subject.section

    @property
    def shown_categories(self) -> tuple[str, ...]:
        """The press office's own categories: none, one or two."""
        label = CATEGORY_LABELS.get(self.section, SECTION_NAMES[self.section])
        return ((label,), (label,), (label, "사회" if label != "사회" else "경제"), ())[self.index % 4]

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories, or the name of the section if the page displays none."""
        return self.shown_categories or (SECTION_NAMES[self.section],)

    @property
    def original_url(self) -> str:
        """Its URL at the press office, without tracking parameters."""
        return f"{self.press.site}/news/view.php?idx={700_000 + self.index}"

    @property
    def images(self) -> tuple[Image, ...]:
        """Its pictures with their captions; URLs without `?type=`."""
        if self.key is None:
            return ()
        head = f"https://imgnews.pstatic.net/image/{self.key.oid}/{self.published_at:%Y/%m/%d}/{self.key.aid}"
        stamp = f"{self.published_at:%Y%m%d%H%M%S}"
        captions = self.versions[0].text.captions
        return tuple(Image(f"{head}_{at:03}_{stamp}{at:03}.jpg", text) for at, text in enumerate(captions, 1))

    @cached_property
    def versions(self) -> tuple[Version, ...]:
        """Its versions in order: one to three."""
        first = Version(self.published_at, None, self.corpus.text(self.index))
        return (first, *self._later(first))

    def _later(self, first: Version) -> Iterator[Version]:
        rng = Random(self.corpus.seed << 32 | self.index << 2 | 1)
        steps = {Edit.NONE: (), Edit.TWICE: (Edit.BODY, Edit.TITLE)}.get(self.slot.edit, (self.slot.edit,))
        text, since = first.text, first.since
        for step in steps:
            text = edited(text, step, rng)
            since += timedelta(seconds=self.slot.edited)
            yield Version(since, since, text)

    def at(self, moment: datetime) -> Version:
        """Its version at this time; the first version for earlier times."""
        return next((version for version in reversed(self.versions) if version.since <= moment), self.versions[0])

    def gone(self, moment: datetime) -> bool:
        return self.gone_at is not None and self.gone_at <= moment

    def listed(self, moment: datetime) -> bool:
        """Whether lists show it at this time."""
        return self.listed_at <= moment and not self.gone(moment)


class Corpus(Sequence[MadeArticle]):
    """All articles in order of publication. `articles` omits those that Naver does not host."""

    def __init__(self, seed: int, slots: Sequence[Slot], offices: Sequence[Press], first: datetime, last: datetime):
        self.seed = seed
        self.slots = slots
        self.offices = offices
        self.subjects = subjects()
        self.first = first
        self.last = last
        self._base = int(first.timestamp())
        self._at = lru_cache(maxsize=4_096)(self._made)

    def __len__(self) -> int:
        return len(self.slots)

    @overload
    def __getitem__(self, index: int) -> MadeArticle: ...
    @overload
    def __getitem__(self, index: slice) -> list[MadeArticle]: ...
    def __getitem__(self, index: int | slice) -> MadeArticle | list[MadeArticle]:
        if isinstance(index, slice):
            return [self._at(at) for at in range(*index.indices(len(self)))]
        return self._at(index if index >= 0 else index + len(self))

    @property
    def articles(self) -> Iterator[MadeArticle]:
        """The articles that Naver hosts."""
        return (self._at(index) for index, slot in enumerate(self.slots) if slot.number >= 0)

    @property
    def elsewhere(self) -> Iterator[MadeArticle]:
        """The articles that a search finds but Naver does not host."""
        return (self._at(index) for index, slot in enumerate(self.slots) if slot.number < 0)

    def find(self, oid: str, aid: str) -> MadeArticle | None:
        """The article of this key, or None."""
        index = self._numbers.get((oid, int(aid))) if aid.isdecimal() and len(aid) == 10 else None
        return None if index is None else self._at(index)

    def since(self, moment: datetime) -> int:
        """Whole seconds from the beginning of the corpus to this time."""
        return int(moment.timestamp()) - self._base

    def moment(self, since: int) -> datetime:
        return datetime.fromtimestamp(self._base + since, SEOUL)

    def digest(self) -> str:
        """SHA-256 of all fields and texts: equal for equal corpora."""
        total = sha256()
        for article in self:
            total.update(repr((article, article.versions, article.images, article.authors)).encode())
        return total.hexdigest()

    def text(self, index: int) -> Text:
        """The text of an article's first version."""
        slot = self.slots[index]
        if slot.copy is not Copy.NONE:
            text = self.text(slot.origin)
            return respaced(text) if slot.copy is Copy.RESPACED else text
        rng, subject, signed = (
            Random(self.seed << 32 | index << 2),
            self.subjects[slot.subject],
            self._signed(slot, index),
        )
        if slot.rewrites >= 0:
            return rewritten(rng, slot, subject, self._unsigned(slot.rewrites), signed=signed)
        return write(rng, slot, subject, signed=signed, title=self._story(slot))

    def _unsigned(self, index: int) -> tuple[str, ...]:
        """The paragraphs of an article without the name of its author."""
        lead, tail = self._signed(self.slots[index], index)
        first, *others = self.text(index).paragraphs
        return (first.removeprefix(lead), *(others[:-1] if tail else others))

    def _story(self, slot: Slot) -> str:
        """The headline that a follow-up shares with its flash; empty for all other articles."""
        return self.text(slot.origin).title.removeprefix("[1보] ") if slot.form in (Form.SECOND, Form.FULL) else ""

    def writer(self, slot: Slot, index: int) -> Author | None:
        if slot.copy is not Copy.NONE:
            return self.writer(self.slots[slot.origin], slot.origin)
        subject = self.subjects[slot.subject]
        staff = self.offices[slot.press].staff
        return None if subject.opinion else Author(*staff[index % len(staff)])

    def signature(self, slot: Slot, index: int) -> Signature:
        if slot.copy is not Copy.NONE:
            return self.signature(self.slots[slot.origin], slot.origin)
        if slot.form in (Form.FLASH, Form.PHOTO) or self.subjects[slot.subject].opinion:
            return Signature.NONE
        return tuple(Signature)[index // 3 % 4]

    def _signed(self, slot: Slot, index: int) -> tuple[str, str]:
        """How the text names its author: before the first paragraph and after the last."""
        writer, press = self.writer(slot, index), self.offices[slot.press].name
        if writer is None:
            return "", ""
        return {
            Signature.NONE: ("", ""),
            Signature.LEAD: (f"(서울={press}) {writer.name} 기자 = ", writer.email or ""),
            Signature.BRACKET: (f"[{press} {writer.name} 기자] ", ""),
            Signature.TAIL: ("", f"{writer.name} 기자 {writer.email}"),
        }[self.signature(slot, index)]

    @cached_property
    def _numbers(self) -> dict[tuple[str, int], int]:
        return {
            (self.offices[slot.press].oid, FIRST_NUMBER + slot.number): index
            for index, slot in enumerate(self.slots)
            if slot.number >= 0
        }

    def _made(self, index: int) -> MadeArticle:
        slot = self.slots[index]
        hosted = slot.number >= 0
        key = ArticleKey(self.offices[slot.press].oid, f"{FIRST_NUMBER + slot.number:010}") if hosted else None
        return MadeArticle(self, index, slot, key)


def make_corpus(
    seed: int,
    *,
    articles: int = 2_000,
    presses: int = 30,
    days: int = 60,
    last: datetime = LAST,
    shares: Shares | None = None,
) -> Corpus:
    """Generate a corpus: `articles` on Naver, and a few elsewhere, over the `days` that end at `last` (aware).

    Raises ValueError for fewer than one article or day, a `last` without a zone, or too many press offices.
    """
    if articles < 1 or days < 1 or last.tzinfo is None:
        raise ValueError(
            f"no corpus of {articles} articles over {days} days to {last}: needs 1 of each and a time zone"
        )
    offices = first_offices(presses)
    until = last.astimezone(SEOUL).replace(microsecond=0)
    slots = Planner(Random(seed), offices, subjects(), shares or Shares(), days * DAY).plan(articles)
    return Corpus(seed, slots, offices, until - timedelta(days=days), until)
