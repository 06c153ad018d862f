"""Where the rows of all files are, and their digests: columns by file and table, eight bytes each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from storage.integrity.journals.digests import MODULUS, Digests, total_of

KEPT_TABLES = frozenset({"articles", "reassessed", "sketches", "duplicates", "frontier", "quarantine"})
"""The tables whose rows are looked for by their places. Of the others, only the sum of all rows is needed."""


class Place(NamedTuple):
    """Where a row is: the file that has its entry, and the number of the row among those of its table in there."""

    file: str
    number: int


class PlacedDigests:
    """The digests of the rows of all files that were added."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, str], Digests] = {}

    def add(self, file: str, digests: Mapping[str, Digests]) -> None:
        """Add those of a file, by table."""
        self._columns |= {(file, table): found for table, found in digests.items()}

    def total(self, table: str, places: Iterable[Place], column: int = 0) -> int:
        """The sum of the digests of the rows at these places, modulo 2**64."""
        found = (self.at(table, file, numbers, column) for file, numbers in by_file(places).items())
        return sum(map(total_of, found)) % MODULUS

    def at(self, table: str, file: str, numbers: Sequence[int], column: int = 0) -> pa.ChunkedArray[pa.UInt64Scalar]:
        """The digests of the rows with these numbers."""
        return self._columns[file, table].column(column).take(pa.array(numbers, pa.int64()))


def by_file(places: Iterable[Place]) -> dict[str, list[int]]:
    """The numbers of the rows in each file."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for place in places:
        numbers[place.file].append(place.number)
    return numbers
