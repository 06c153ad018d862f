"""Numbers with what they count, for messages in English."""

from __future__ import annotations


def counted(number: int, noun: str, several: str = "") -> str:
    """`1 file`, `1,234 files`. `several`: the plural, where it is not the noun and an s."""
    return f"{number:,} {noun if number == 1 else several or f'{noun}s'}"
