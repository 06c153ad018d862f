"""The baseline of the drift alarm in a small JSON file, `state/baseline.json` of the archive.

A layout names its marks once; its counts, its press offices' counts and its newest pages refer to them by number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schemas.errors import ArchiveDamaged
from schemas.traits import Baseline, LayoutMemory, MarkCounts, Traits
from storage.state import json_file

VERSION = 2
"""Rises whenever pages get other marks: those that were not known would all be new."""


def load_baseline(path: Path) -> tuple[Baseline, str | None]:
    """The baseline of a file; an empty one where there is no file, and where it is damaged, with a note that says so.

    Raises StorageFault when the file cannot be read at all.
    """
    try:
        return json_file.load(path, from_json) or Baseline(), None
    except ArchiveDamaged as error:
        return Baseline(), f"{error}: the drift alarm learns anew, and cannot ring until it knows enough pages"


def save_baseline(path: Path, baseline: Baseline) -> None:
    """Put the baseline into the file: all of it, or nothing. Raises StorageFault."""
    json_file.save(path, as_json(baseline), durable=False)


def as_json(baseline: Baseline) -> dict[str, Any]:
    """A baseline as JSON's values; `from_json` gives the same one back."""
    layouts = {name: _memory_as_json(memory) for name, memory in sorted(baseline.layouts.items())}
    return {
        "version": VERSION,
        "layouts": layouts,
        "sources": {name: list(counts) for name, counts in sorted(baseline.sources.items())},
    }


def from_json(value: Any) -> Baseline:
    """The baseline of `as_json`. Raises ValueError, TypeError, LookupError or AttributeError for anything else."""
    if value["version"] != VERSION:
        raise ValueError(f"version {value['version']!r} instead of {VERSION}")
    layouts = {str(name): _memory_from_json(str(name), one) for name, one in value["layouts"].items()}
    sources = {str(name): tuple(_whole(count) for count in counts) for name, counts in value["sources"].items()}
    return Baseline(layouts, sources)


def _memory_as_json(memory: LayoutMemory) -> dict[str, Any]:
    counted = (memory.counts, *memory.presses.values())
    marks = sorted({mark for counts in counted for mark in counts.marks}.union(*(one.marks for one in memory.recent)))
    numbers = {mark: at for at, mark in enumerate(marks)}
    return {
        "marks": marks,
        "tally": _counts_as_json(memory.counts, numbers),
        "presses": {press: _counts_as_json(counts, numbers) for press, counts in sorted(memory.presses.items())},
        "recent": [_traits_as_json(traits, numbers) for traits in memory.recent],
    }


def _memory_from_json(layout: str, value: Any) -> LayoutMemory:
    marks = [str(mark) for mark in value["marks"]]
    return LayoutMemory(
        _counts_from_json(value["tally"], marks),
        {str(press): _counts_from_json(counts, marks) for press, counts in value["presses"].items()},
        tuple(_traits_from_json(layout, one, marks) for one in value["recent"]),
    )


def _counts_as_json(counts: MarkCounts, numbers: Mapping[str, int]) -> list[Any]:
    """Pages, then number and weight of each mark, in one flat list."""
    flat = [part for mark, weight in sorted(counts.marks.items()) for part in (numbers[mark], _short(weight))]
    return [_short(counts.pages), *flat]


def _counts_from_json(value: Sequence[Any], marks: Sequence[str]) -> MarkCounts:
    pages, *flat = value
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return MarkCounts(_weight(pages), {marks[_whole(at)]: _weight(weight) for at, weight in pairs})


def _traits_as_json(traits: Traits, numbers: Mapping[str, int]) -> list[Any]:
    lengths = [[what, size] for what, size in traits.lengths]
    return [traits.press, sorted(numbers[mark] for mark in traits.marks), lengths, list(traits.sketch)]


def _traits_from_json(layout: str, value: Any, marks: Sequence[str]) -> Traits:
    press, numbers, lengths, sketch = value
    own = frozenset(marks[_whole(at)] for at in numbers)
    sizes = tuple((str(what), _whole(size)) for what, size in lengths)
    return Traits(layout, str(press), own, sizes, tuple(_whole(number) for number in sketch))


def _short(weight: float) -> float | int:
    return int(weight) if weight == int(weight) else weight


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r:.40} is no count")
    return value


def _weight(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e9:
        raise ValueError(f"{value!r:.40} is no number of pages")
    return float(value)
