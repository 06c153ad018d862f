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
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from schemas.nfc import nfc
from storage.stories.hashing import COUNTED, SHINGLE, shingle_hashes

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

_FOOTER = re.compile(r"■ ?제보|당신의 제보가|여러분의 제보|기사 ?문의 및 제보|저작권자 ?(?:ⓒ|©|\(c\)|<)|무단 ?전재")
_FOOTER_IN = 400
"""Characters at the end of a text in which a footer may begin."""


def is_kept(shared: int, one: int, other: int) -> bool:
    """Whether two texts are near-duplicates, given the numbers of shingles that they share, and that each has."""
    return shared >= KEPT * min(one, other)


def compared_text(body: str | None) -> str:
    """The letters and digits of a text that are compared, in lower case; empty if the text is too short.

    The footer in which a press office asks for tips and reserves its rights is left out.
    """
    kept = _counted(_cleaned(body))[:LONGEST]
    return kept if len(kept) >= SHORTEST else ""


def compared_hashes(bodies: Iterable[str | None]) -> Iterator[pa.UInt64Array]:
    """The hashes of the shingles of the compared text of each body, with repetitions; none if the text is too short.

    The same as those of `compared_text`, in two thirds of the time.
    """
    for hashes in shingle_hashes(map(_bounded, bodies)):
        yield hashes if len(hashes) > SHORTEST - SHINGLE else hashes.slice(0, 0)


def _bounded(body: str | None) -> str:
    """A text with the letters and digits that are compared."""
    text = _cleaned(body)
    return text if len(text) <= LONGEST else _counted(text)[:LONGEST]


def _cleaned(body: str | None) -> str:
    return _without_footer(nfc(body or "").lower())


def letters(text: str) -> str:
    """The letters and digits of a text, in lower case."""
    return _counted(nfc(text).lower())


def _counted(text: str) -> str:
    return "".join(COUNTED.findall("".join(text.split())))  # without spaces first: longer runs, a third of the time


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


def shared_with(of: pa.UInt64Array, others: Sequence[pa.UInt64Array]) -> Iterator[int]:
    """How many of its different hashes a text shares with each other text. None of them is empty."""
    is_shared, at = pc.is_in(pa.concat_arrays(others), value_set=of), 0
    for size in map(len, others):
        yield is_shared.slice(at, size).true_count
        at += size


def _without_footer(text: str) -> str:
    at = max(len(text) - _FOOTER_IN, 0)
    found = _FOOTER.search(text, at)
    return text[: found.start()] if found else text
