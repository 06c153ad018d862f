"""Generates, edits and copies the text of an article."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from flows.replica.corpus.plan import Edit, Form, Slot
from flows.replica.corpus.subjects import Subject
from flows.replica.corpus.text import pick, writer

_LENGTHS = {Form.TEXT: (5, 9), Form.FULL: (6, 9), Form.SECOND: (2, 2), Form.VIDEO: (3, 4)}
_PLAIN_QUOTES = str.maketrans("“”‘’", "\"\"''")
_PICTURES = {Form.FLASH: 1, Form.SECOND: 0, Form.PHOTO: 3, Form.VIDEO: 0}


@dataclass(frozen=True, slots=True)
class Text:
    """The text of an article. The subtitle has zero to four lines; `captions` belong to the pictures."""

    title: str
    subtitle: str
    paragraphs: tuple[str, ...]
    captions: tuple[str, ...]


def write(rng: Random, slot: Slot, subject: Subject, *, signed: tuple[str, str], title: str) -> Text:
    """A new text. `signed` goes before the first and after the last paragraph; `title` is that of a story, or empty."""
    fill = writer(rng, subject.words, subject.focuses[slot.focus])
    headline = title or fill(pick(rng, subject.titles))
    captions = tuple(fill(pick(rng, subject.captions)) for _ in range(_pictures(rng, slot.form)))
    if slot.form in (Form.FLASH, Form.PHOTO):
        return Text(_headed(slot.form, headline), "", (), captions)
    lines = (0, 0, 0, 1, 2, 4)[int(rng.random() * 6)] if slot.form is Form.TEXT else 0
    # An ordered set: two lines of a subtitle are never the same.
    subtitle = "\n".join(dict.fromkeys(fill(pick(rng, subject.titles)) for _ in range(lines)))
    paragraphs = _paragraphs(rng, slot.form, subject, fill)
    return Text(_headed(slot.form, headline), subtitle, _signed(paragraphs, signed), captions)


def rewritten(rng: Random, slot: Slot, subject: Subject, paragraphs: Sequence[str], *, signed: tuple[str, str]) -> Text:
    """A near-duplicate: a headline and a signature of its own, other quotation marks, another last paragraph."""
    fill = writer(rng, subject.words, subject.focuses[slot.focus])
    kept = [paragraph.translate(_PLAIN_QUOTES) for paragraph in paragraphs[: max(len(paragraphs) - 1, 1)]]
    return Text(fill(pick(rng, subject.titles)), "", _signed([*kept, fill(pick(rng, subject.bank))], signed), ())


def edited(text: Text, edit: Edit, rng: Random) -> Text:
    """The text after an edit: another headline, another body, both, or neither."""
    if edit in (Edit.TITLE, Edit.BOTH):
        text = replace(text, title=f"{text.title} ({pick(rng, ('종합', '수정', '2판'))})")
    if edit in (Edit.BODY, Edit.BOTH):
        share = f"{rng.randint(2, 98)}.{rng.randint(0, 9)}%"
        added = f"앞서 나간 기사 가운데 비율을 {share}로 바로잡고, 담당 부서의 설명 {rng.randint(2, 90)}건을 덧붙였다."
        text = replace(text, paragraphs=(*text.paragraphs[:-1], added, *text.paragraphs[-1:]))
    return text


def respaced(text: Text) -> Text:
    """The same text with other white space: its second sentence starts a paragraph, and one space is removed."""
    head, *rest = text.paragraphs  # only texts of several paragraphs are copied
    first, stop, second = head.partition("다. ")
    split = (f"{first}다.", second) if stop else (head,)
    return replace(text, paragraphs=(*split, rest[0].replace(" ", "", 1), *rest[1:]))


def _pictures(rng: Random, form: Form) -> int:
    return _PICTURES.get(form, 1 if rng.random() < 0.45 else 0)


def _headed(form: Form, headline: str) -> str:
    marks = {Form.FLASH: "[1보] ", Form.SECOND: "[2보] ", Form.PHOTO: "[포토] "}
    return marks.get(form, "") + headline + ("(종합)" if form is Form.FULL else "")


def _paragraphs(rng: Random, form: Form, subject: Subject, fill: Callable[[str], str]) -> list[str]:
    """The lead, and paragraphs of one to three sentences; no template is used twice while others remain."""
    low, high = _LENGTHS[form]
    bank = rng.sample(subject.bank, len(subject.bank))
    paragraphs = [fill(pick(rng, subject.leads))]
    while len(paragraphs) < low + int(rng.random() * (high - low + 1)) and len(bank) > 3:
        paragraphs.append(" ".join(fill(bank.pop()) for _ in range(1 + int(rng.random() * 3))))
    return paragraphs


def _signed(paragraphs: list[str], signed: tuple[str, str]) -> tuple[str, ...]:
    lead, tail = signed
    tails = (tail,) if tail else ()
    return (lead + paragraphs[0], *paragraphs[1:], *tails)
