"""A text as the tokens of the search index.

Korean is written with and without spaces, in compounds, and with particles after every word. So the index holds not
words but overlapping pairs of syllables, and a word of a query is the phrase of its pairs: exactly the substring.

    업스테이지가 독자 AI모델   ->   업스 스테 테이 이지 지가 _가독 독자 자 ai 모 모델 델

A pair over a space is marked with `_`, one over a punctuation mark without spaces with `-` (한·미 -> 한 -한미 미): they
are found only by queries with the space or the mark. If no pair follows, the last syllable is a token by itself; so is
the first one after another script, or 10조 would be a search for all pairs that begin with 조. A run of Latin
letters (without regard to case), a run of digits and a Han character are one token each.

With every change of the tokens, increase `VERSION` in `index.py`.
"""

from __future__ import annotations

import re
import unicodedata

from schemas.nfc import nfc

LETTER = r"[^\W\d_가-힣㐀-鿿]"
"""A letter that is neither a Hangul syllable nor a Han character, as a regular expression."""

_COMPATIBLE = re.compile(r"[\u3300-\u33ff\uff01-\uffef]+")
"""Units in one character (㎞, ㎡) and letters of another width (ＡＩ): the same as the ordinary ones. Not so ① or ㈜,
whose decomposition would join an adjacent number or word."""
_PARAGRAPH = re.compile(r"\n\s*\n")
_PUNCTUATION = re.compile(r"[^\w\s]|_")
_JOINT = re.compile(r"([가-힣])(\s+|/)(?=([가-힣]))")
_RUN = re.compile(rf"[_-]?[가-힣]+|{LETTER}+|\d+|[㐀-鿿]")
_FIRST = re.compile(r"(?<=[^가-힣 ] )[가-힣](?=[가-힣])")
"""The first of several syllables after another script."""
_SHARED = re.compile(r"(?<=[가-힣])(?<![_-][가-힣])[가-힣](?=[가-힣]| [^_-]|$)")
"""A syllable that ends one token and begins the next."""


def fold(text: str) -> str:
    """The form of a text from which its tokens are made: one form of each character, ignoring case."""
    ordinary = _COMPATIBLE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return nfc(ordinary).casefold()


def tokens(text: str) -> str:
    """All tokens of a text in order, with one space between. Time and memory are linear in the text, whatever it is."""
    text = _PUNCTUATION.sub("/", _PARAGRAPH.sub(" / ", fold(text)))
    text = _JOINT.sub(lambda joint: f"{joint[1]} {'-' if joint[2] == '/' else '_'}{joint[1]}{joint[3]} ", text)
    return _SHARED.sub(_twice, _FIRST.sub(_twice, " ".join(_RUN.findall(text))))


def _twice(found: re.Match[str]) -> str:
    return f"{found[0]} {found[0]}"


def is_syllable(text: str) -> bool:
    """Whether this is one whole Hangul syllable."""
    return len(text) == 1 and "가" <= text <= "힣"
