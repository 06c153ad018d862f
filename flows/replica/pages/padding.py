"""What surrounds the article on a real page: scripts, styles, and the text of other articles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from random import Random

from flows.replica.corpus.subjects import subjects
from flows.replica.corpus.text import pick, writer

_SHARE_BEFORE = 0.35  # the part of a real page that precedes the article


@lru_cache(maxsize=8)
def filler(size: int, encoding: str = "utf-8") -> tuple[bytes, bytes]:
    """Markup of about `size` bytes: the part before the article, and the part after it."""
    if size <= 0:
        return b"", b""
    rng = Random(size)
    first = int(size * _SHARE_BEFORE)
    before = _repeat(rng, first, encoding, (_script,))
    return before, _repeat(rng, size - first, encoding, (_script, _ranking, _style))


def _repeat(rng: Random, size: int, encoding: str, makers: Sequence[Callable[[Random], str]]) -> bytes:
    """Parts from each maker in turn until the size is reached."""
    filled, turn = b"", 0
    while len(filled) < size:
        filled += makers[turn % len(makers)](rng).encode(encoding, "xmlcharrefreplace")
        turn += 1
    return filled


def _script(rng: Random) -> str:
    """A script that contains the names a parser looks for, as real ones do."""
    lines = "".join(
        f'\n\tfn{rng.getrandbits(24):x} = function (e) {{ return e.find("#dic_area, .media_end_head_headline")'
        f".attr('data-date-time') || \"{rng.getrandbits(64):x}\"; }};"
        for _ in range(40)
    )
    return f'<script type="text/javascript">{lines}\n</script>\n'


def _style(rng: Random) -> str:
    rules = "".join(f".c{rng.getrandbits(20):x} {{ margin: {rng.randint(0, 40)}px; }}\n" for _ in range(20))
    return f"<style>{rules}</style>\n"


def _ranking(rng: Random) -> str:
    """Other articles, with their headlines and first sentences."""
    subject = subjects()[int(rng.random() * len(subjects()))]
    fill = writer(rng, subject.words, subject.focuses[0])
    items = "".join(
        f'<li class="ofhe_item"><a href="/mnews/article/701/{9_000_000_000 + rng.getrandbits(20)}" class="ofhe_link">'
        f'<strong class="ofhe_headline">{fill(pick(rng, subject.titles))}</strong></a>'
        f'<p class="ofhe_text">{fill(pick(rng, subject.leads))}</p>'
        '<span class="ofhe_date" data-date-time="2001-01-01 00:00:00">4시간전</span></li>\n'
        for _ in range(8)
    )
    return f'<div class="ofhe_body"><ul class="ofhe_list">{items}</ul></div>\n'
