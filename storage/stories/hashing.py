"""The shingles of texts as 64-bit hashes, computed for many texts at a time by Arrow.

Letters and digits count, and nothing between them.

The hash of a shingle is the XOR of one number for each of its bytes in UTF-16; the number depends on the byte and its
place. So the hashes of all shingles take a few operations on whole arrays. The lower 32 bits are the CRC-32 of the
shingle, which has this form; the upper 32 bits come from a table of random numbers (tabulation hashing). Two different
shingles have the same hash with a probability of 2^-64.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import blake2b
from typing import cast
from zlib import crc32

import pyarrow as pa
import pyarrow.compute as pc

SHINGLE = 8
"""Letters and digits in a shingle."""

COUNTED = re.compile("[0-9a-z가-힣一-鿿]+")
"""The letters and digits that count. All of them have 16 bits."""

_LETTERS_AT_ONCE = 200_000
"""Each takes 30 bytes of memory while it is hashed."""


def shingle_hashes(texts: Iterable[str]) -> Iterator[pa.UInt64Array]:
    """The hashes of the shingles of each text, which is in lower case: in order, with repetitions."""
    for part in _parts(texts):
        letters, sizes = _letters(part)
        hashes, at = _hashes(letters), 0
        for size in sizes:
            yield hashes.slice(at, max(size - SHINGLE + 1, 0))
            at += size


def _parts(texts: Iterable[str]) -> Iterator[Sequence[str]]:
    part, letters = list[str](), 0
    for text in texts:
        part.append(text)
        letters += len(text)
        if letters >= _LETTERS_AT_ONCE:
            yield part
            part, letters = [], 0
    yield part


def _letters(texts: Sequence[str]) -> tuple[pa.UInt16Array, list[int]]:
    """The letters of all texts, as numbers, and how many of them each text has."""
    encoded = [text.encode("utf-16-le", "surrogatepass") for text in texts]
    data = b"".join(encoded)
    characters = pa.Array.from_buffers(pa.uint16(), len(data) // 2, [None, pa.py_buffer(data)])
    counts, at, sizes = pc.take(_are_counted(), characters, boundscheck=False), 0, list[int]()
    for size in (len(each) // 2 for each in encoded):
        sizes.append(counts.slice(at, size).true_count)
        at += size
    return cast("pa.UInt16Array", characters.filter(counts)), sizes


@cache
def _are_counted() -> pa.BooleanArray:
    """For each value of 16 bits, whether it counts."""
    return pa.array([COUNTED.fullmatch(chr(value)) is not None for value in range(1 << 16)])


def _hashes(letters: pa.UInt16Array) -> pa.UInt64Array:
    number = max(len(letters) - SHINGLE + 1, 0)
    hashes = pa.repeat(pa.scalar(crc32(bytes(2 * SHINGLE)), pa.uint64()), number)
    for place, numbers in enumerate(_numbers()):
        added = pc.take(numbers, letters.slice(place, number), boundscheck=False)
        hashes = pc.bit_wise_xor(hashes, added)
    return hashes


@cache
def _numbers() -> tuple[pa.UInt64Array, ...]:
    """For each letter of a shingle, the number for each value of 16 bits that it may have: that of its two bytes."""
    lower, upper = (pa.array(values, pa.uint16()) for values in ([*range(256)] * 256, [n >> 8 for n in range(1 << 16)]))
    return tuple(
        pc.bit_wise_xor(pc.take(_numbers_at(place), lower), pc.take(_numbers_at(place + 1), upper))
        for place in range(0, 2 * SHINGLE, 2)
    )


def _numbers_at(place: int) -> pa.UInt64Array:
    """For a byte of a shingle, the number for each value that it may have."""
    return pa.array([_number(place, value) for value in range(256)], pa.uint64())


def _number(place: int, value: int) -> int:
    alone = bytes([*bytes(place), value, *bytes(2 * SHINGLE - place - 1)])
    random = int.from_bytes(blake2b(bytes([place, value]), digest_size=4).digest(), "big")
    return random << 32 | crc32(alone) ^ crc32(bytes(2 * SHINGLE))
