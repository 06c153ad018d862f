"""What two texts have in common: a text as the set of its shingles, and a small sketch of that set.

A shingle is SHINGLE consecutive letters or digits of a text without anything else: spaces, punctuation and quotation
marks, which is where copies differ, do not count. The containment of one text in another is the share of its shingles
that the other has too. It is exact; the sketch only says which texts are worth comparing. The sketch is a FracMinHash:
the shingles whose hash is among the lowest sixteenth of all hashes, whatever else the text contains. So two texts keep
the same shingles of what they share. All of it depends on one text alone.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from schemas.nfc import nfc
from storage.stories.hashing import SHINGLE

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


class Overlap(NamedTuple):
    """What two texts `a` and `b` share: the number of shingles, and their share (0 to 1) of each text's shingles."""

    shared: int
    of_a: float
    of_b: float

    @property
    def is_kept(self) -> bool:
        """Whether the two texts are near-duplicates."""
        return self.of_a >= KEPT or self.of_b >= KEPT


def compared_text(body: str | None) -> str:
    """The letters and digits of a text that are compared, in lower case; empty if the text is too short.

    The footer in which a press office asks for tips and reserves its rights is left out.
    """
    kept = _counted(_without_footer(nfc(body or "").lower()))[:LONGEST]
    return kept if len(kept) >= SHORTEST else ""


def letters(text: str) -> str:
    """The letters and digits of a text, in lower case."""
    return _counted(nfc(text).lower())


def _counted(text: str) -> str:
    return "".join(_COUNTED.findall("".join(text.split())))  # without spaces first: longer runs, a third of the time


def shingles(text: str) -> frozenset[str]:
    """The shingles of a compared text; of a shorter one, itself."""
    return frozenset(text[at : at + SHINGLE] for at in range(max(len(text) - SHINGLE, 0) + 1))


def sketches(hashes: Sequence[pa.UInt64Array]) -> Iterator[list[int]]:
    """For each text with these hashes, those of them, below 2**28 and ascending, that stand for it: one in sixteen."""
    every = pa.concat_arrays([pa.array([], pa.uint64()), *hashes])
    crc = every.cast(pa.uint32(), safe=False)  # the lower half
    is_kept = pc.less(crc, pa.scalar(_HASHES, pa.uint32()))
    kept, places = (_values(part) for part in (crc.filter(is_kept), pc.indices_nonzero(is_kept)))
    at = begin = 0
    for each in hashes:
        at += len(each)
        end = bisect_left(places, at, begin)
        yield sorted({*kept[begin:end]})
        begin = end


def _values(numbers: pa.Array[Any]) -> list[int]:
    return [number for number in numbers.to_pylist() if number is not None]


def overlaps(of: pa.UInt64Array, others: Sequence[pa.UInt64Array]) -> list[Overlap]:
    """What a text has in common with each other text, by their different hashes. None of them is empty."""
    is_shared = pc.is_in(pa.concat_arrays(others), value_set=of)
    found, at, own = list[Overlap](), 0, len(of)
    for size in map(len, others):
        shared = is_shared.slice(at, size).true_count
        found.append(Overlap(shared, shared / own, shared / size))
        at += size
    return found


def _without_footer(text: str) -> str:
    at = max(len(text) - _FOOTER_IN, 0)
    found = _FOOTER.search(text, at)
    return text[: found.start()] if found else text
