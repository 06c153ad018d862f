"""Numbers with what they count."""

from __future__ import annotations

from schemas.counted import counted


def test_one_and_several() -> None:
    assert [counted(number, "file") for number in (0, 1, 2, 1234)] == ["0 files", "1 file", "2 files", "1,234 files"]
    assert counted(2, "story", "stories") == "2 stories"
