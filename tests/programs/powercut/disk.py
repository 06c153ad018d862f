"""The possible states of a disk after a power cut, by two models of a file system.

strict    Only what POSIX guarantees: the content and the size of a file are durable once it was synced, a name once its
          folder was. Any subset of everything else may have reached the disk.
ordered   As with ext4 in its default mode, xfs and btrfs: changes of names and sizes reach the disk in order, up to
          some moment after the last sync that had to write them. Bytes that were not synced may be lost.

In both models, bytes that were not synced may be written in part: only sectors of 512 bytes are atomic. Renames are
atomic.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.programs.powercut.recording import Call, Kind, Node, Recording

_SECTOR = 512
_TORN = 0.3
"""The share of torn writes among those that can be torn."""

Extent = tuple[int, int]


@dataclass(slots=True)
class Survivors:
    """Which calls reached the disk, and the extents of those that did so in part."""

    whole: list[bool]
    parts: dict[int, list[Extent]] = field(default_factory=dict)


def synced(calls: Sequence[Call]) -> list[bool]:
    """For each call, whether a later sync made it durable: of the file, or of the folder with its new name."""
    last = {call.node: number for number, call in enumerate(calls) if call.kind is Kind.SYNCED}
    return [last.get(_to_be_synced(call), -1) > number for number, call in enumerate(calls)]


def _to_be_synced(call: Call) -> Node:
    place = call.other or call.place
    return call.node if place is None else place.folder


def strict(recording: Recording, cut: int, rng: random.Random) -> Survivors:
    """The strict model: what survives a cut before the call of this number."""
    calls = recording.calls[:cut]
    sure = synced(calls)
    if rng.random() < 0.2:  # all but one call, the kind of reordering that is hardest to handle
        unsure = [number for number, is_sure in enumerate(sure) if not is_sure]
        lost = rng.choice(unsure[-40:]) if unsure else None
        return Survivors([number != lost for number in range(cut)])
    share = rng.choice((0.0, 0.2, 0.5, 0.8))
    return _torn(calls, sure, [is_sure or rng.random() < share for is_sure in sure], rng)


def ordered(recording: Recording, cut: int, rng: random.Random) -> Survivors:
    """The ordered model: what survives a cut before the call of this number."""
    calls = recording.calls[:cut]
    least = _committed(recording, cut)
    upto = rng.choice((least, cut, rng.randint(least, cut)))
    sure, share = synced(calls), rng.choice((0.0, 0.1, 0.5, 0.9))
    whole = [
        is_sure or rng.random() < share if call.kind is Kind.WRITTEN else number < upto
        for number, (call, is_sure) in enumerate(zip(calls, sure, strict=True))
    ]
    return _torn(calls, sure, whole, rng)


def killed(recording: Recording, cut: int, rng: random.Random) -> Survivors:
    """No power cut, only a kill: all calls survive."""
    return Survivors([True] * cut)


Model = Callable[[Recording, int, random.Random], Survivors]
MODELS: dict[str, Model] = {"strict": strict, "ordered": ordered}


def _committed(recording: Recording, cut: int) -> int:
    """The number of calls whose names and sizes are durable: up to the last sync of a changed name or size.

    A sync of a file whose content was only overwritten need not write them.
    """
    sizes: dict[Node, int] = {node: path.stat().st_size for node, path in recording.before.origins.items()}
    changed: set[Node] = set()
    upto = 0
    for number, call in enumerate(recording.calls[:cut]):
        match call.kind:
            case Kind.SYNCED:
                if call.node in changed:
                    upto = number + 1
                    changed.clear()
            case Kind.WRITTEN:
                if (end := call.at + len(call.data)) > sizes.get(call.node, 0):
                    sizes[call.node] = end
                    changed.add(call.node)
            case _:
                changed |= {call.node, *(place.folder for place in (call.place, call.other) if place)}
                if call.kind is Kind.RESIZED:
                    sizes[call.node] = call.at
    return upto


def _torn(calls: Sequence[Call], sure: Sequence[bool], whole: list[bool], rng: random.Random) -> Survivors:
    """Tear some of the writes that survive without a sync: keep their beginning, or some of their sectors."""
    found = Survivors(whole)
    for number, call in enumerate(calls):
        if call.kind is Kind.WRITTEN and whole[number] and not sure[number] and rng.random() < _TORN:
            length = len(call.data)
            if rng.random() < 0.5:
                found.parts[number] = [(0, rng.randrange(0, length + 1, _SECTOR))]
            else:
                step = _SECTOR * rng.choice((1, 8))
                found.parts[number] = [(at, at + step) for at in range(0, length, step) if rng.random() < 0.5]
    return found


def materialise(recording: Recording, survivors: Survivors, target: Path) -> None:
    """Create a folder from the calls that survived."""
    tree, contents = recording.before.copy(), dict[Node, list[int]]()
    for number, call in enumerate(recording.calls[: len(survivors.whole)]):
        if survivors.whole[number]:
            match call.kind:
                case Kind.WRITTEN | Kind.RESIZED:
                    contents.setdefault(call.node, []).append(number)
                case Kind.CREATED | Kind.FOLDER_MADE if call.place:
                    tree.put(call.place, call.node)
                case Kind.RENAMED | Kind.LINKED if call.place and call.other:
                    if call.kind is Kind.RENAMED:
                        tree.drop(call.place, call.node)
                    tree.put(call.other, call.node)
                case Kind.REMOVED | Kind.FOLDER_REMOVED if call.place:
                    tree.drop(call.place, call.node)
        if call.kind is Kind.FOLDER_MADE:
            tree.folders.setdefault(call.node, {})
    _make(tree.root, target, tree.folders, lambda node: _content(recording, survivors, node, contents.get(node, ())))


def _make(node: Node, path: Path, folders: dict[Node, dict[str, Node]], content: Callable[[Node], bytes]) -> None:
    path.mkdir()
    for name, below in folders[node].items():
        if below in folders:
            _make(below, path / name, folders, content)
        else:
            (path / name).write_bytes(content(below))


def content_at(recording: Recording, node: Node, cut: int) -> bytes:
    """The content of a file before the call of this number, as the program sees it."""
    numbers = [
        number
        for number, call in enumerate(recording.calls[:cut])
        if call.node == node and call.kind in (Kind.WRITTEN, Kind.RESIZED)
    ]
    return _content(recording, Survivors([True] * cut), node, numbers)


def _content(recording: Recording, survivors: Survivors, node: Node, numbers: Sequence[int]) -> bytes:
    """A file's content after these calls. Bytes that were never written, or were lost, are zeros."""
    origin = recording.before.origins.get(node)
    data = bytearray(origin.read_bytes() if origin else b"")
    for number in numbers:
        call = recording.calls[number]
        if call.kind is Kind.RESIZED:
            _lengthen(data, call.at)
            del data[call.at :]
            continue
        for start, end in survivors.parts.get(number, [(0, len(call.data))]):
            part = call.data[start:end]
            if part:
                at = call.at + start
                _lengthen(data, at)
                data[at : at + len(part)] = part
    return bytes(data)


def _lengthen(data: bytearray, size: int) -> None:
    data.extend(bytes(max(size - len(data), 0)))
