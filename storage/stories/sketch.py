"""What two texts have in common: a text as the set of its shingles, and a small sketch of that set.

A shingle is SHINGLE consecutive letters or digits of a text without anything else: spaces, punctuation and quotation
marks, which is where copies differ, do not count. The containment of one text in another is the share of its shingles
that the other has too. It is exact; the sketch only says which texts are worth comparing. The sketch is a FracMinHash:
the shingles whose hash is among the lowest sixteenth of all hashes, whatever else the text contains. So two texts keep
the same shingles of what they share. All of it depends on one text alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from zlib import crc32

from schemas.nfc import nfc

SHINGLE = 8
"""Letters and digits in a shingle."""

SHORTEST = 150
"""Letters and digits of the shortest text that is compared: shorter ones share set phrases and little else."""

LONGEST = 100_000
"""Letters and digits of a text that are compared at most, from its beginning."""

KEPT = 0.5
"""A pair is kept from this containment of the shorter text on."""

FEWEST_COMMON, ONE_IN_COMMON = 2, 5
"""Two texts are compared if they have two hashes in common, and a fifth of the smaller sketch."""

_HASHES = 1 << 28
"""Hashes below this are kept: a sixteenth of the values of CRC-32."""

_COUNTED = re.compile("[0-9a-z가-힣一-鿿]+")
_FOOTER = re.compile(r"■ ?제보|당신의 제보가|여러분의 제보|기사 ?문의 및 제보|저작권자 ?(?:ⓒ|©|\(c\)|<)|무단 ?전재")
_FOOTER_IN = 400
"""Characters at the end of a text in which a footer may begin."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two texts `a` and `b` share: the number of shingles, and their share (0 to 1) of each text's shingles."""

    shared: int
    of_a: float
    of_b: float

    @property
    def is_kept(self) -> bool:
        """Whether the two texts are near-duplicates."""
        return max(self.of_a, self.of_b) >= KEPT


def compared_text(body: str | None) -> str:
    """The letters and digits of a text that are compared, in lower case; empty if the text is too short.

    The footer in which a press office asks for tips and reserves its rights is left out.
    """
    kept = letters(_without_footer(nfc(body or "").lower()))[:LONGEST]
    return kept if len(kept) >= SHORTEST else ""


def letters(text: str) -> str:
    """The letters and digits of a text, in lower case."""
    return "".join(_COUNTED.findall(nfc(text).lower()))


def shingles(text: str) -> frozenset[str]:
    """The shingles of a compared text; of a shorter one, itself."""
    return frozenset(text[at : at + SHINGLE] for at in range(max(len(text) - SHINGLE, 0) + 1))


def sketch(text: str) -> list[int]:
    """The hashes, below 2**28 and ascending, that stand for a compared text: of about one shingle in sixteen."""
    data, width = text.encode("utf-16-le"), 2 * SHINGLE
    hashes = map(crc32, [data[at : at + width] for at in range(0, len(data) - width + 1, 2)])
    return sorted({value for value in hashes if value < _HASHES})


def overlap(a: frozenset[str], b: frozenset[str]) -> Overlap:
    """What the shingles of two texts have in common. Neither is empty."""
    shared = len(a & b)
    return Overlap(shared, shared / len(a), shared / len(b))


def _without_footer(text: str) -> str:
    at = max(len(text) - _FOOTER_IN, 0)
    found = _FOOTER.search(text, at)
    return text[: found.start()] if found else text
