"""Records what a program does to a folder: its files before, and all calls in order, with an identity for each file."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

_SOURCE = Path(__file__).with_name("recorder.c")
_ENTRY = struct.Struct("<IBHHQQQ")
_MAGIC = 0x54554350
COMPILER = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)

Node = int
"""The identity of a file or folder. Unlike the number of an inode, it is never used again."""


class Kind(StrEnum):
    """The kind of a call."""

    CREATED = "C"
    FOLDER_MADE = "D"
    WRITTEN = "W"
    RESIZED = "X"
    RENAMED = "R"
    LINKED = "L"
    REMOVED = "U"
    FOLDER_REMOVED = "E"
    SYNCED = "S"


@dataclass(frozen=True, slots=True)
class Place:
    """A name in a folder."""

    folder: Node
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call on `node`, at `place`, and `other` if it has two names. `at`: the offset of a write, or the new size."""

    kind: Kind
    node: Node
    place: Place | None = None
    other: Place | None = None
    at: int = 0
    data: bytes = b""


@dataclass(slots=True)
class Tree:
    """Folders by identity, each with the nodes of its names. `origins`: copies of the files that existed before."""

    root: Node
    folders: dict[Node, dict[str, Node]]
    origins: dict[Node, Path] = field(default_factory=dict)

    def find(self, path: str) -> Node:
        """The file or folder at a path below the root."""
        node = self.root
        for name in filter(None, path.split("/")):
            node = self.folders[node][name]
        return node

    def place(self, path: str) -> Place:
        """The folder above a path, and the name in it."""
        above, _, name = path.rpartition("/")
        return Place(self.find(above), name)

    def put(self, place: Place, node: Node) -> None:
        self.folders.setdefault(place.folder, {})[place.name] = node

    def drop(self, place: Place, node: Node) -> None:
        """Remove a name, if it refers to this node."""
        names = self.folders.setdefault(place.folder, {})
        if names.get(place.name) == node:
            del names[place.name]

    def copy(self) -> Tree:
        return Tree(self.root, {node: dict(names) for node, names in self.folders.items()}, self.origins)


@dataclass(frozen=True, slots=True)
class Recording:
    """A tree before the calls, and the calls that changed it."""

    before: Tree
    calls: Sequence[Call]


def compiled(folder: Path) -> Path:
    """The recorder as a shared library in `folder`."""
    assert COMPILER is not None
    library = folder / "recorder.so"
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-pthread"]
    subprocess.run([COMPILER, *flags, "-o", library, _SOURCE], check=True)
    return library


def record(recorder: Path, disk: Path, code: str, *, path: Sequence[str | Path] = ()) -> Recording:
    """Run Python code in its own process, and record what it does to the folder `disk`.

    A copy of the folder with its previous content stays next to it.
    """
    before, log = disk.with_name(f"{disk.name}.before"), disk.with_name(f"{disk.name}.log")
    shutil.copytree(disk, before)
    nodes: dict[int, Node] = {}
    tree = _scanned(disk, before, nodes)
    environment = os.environ | {
        "LD_PRELOAD": str(recorder),
        "POWERCUT_ROOT": str(disk),
        "POWERCUT_LOG": str(log),
        "PYTHONPATH": os.pathsep.join(map(str, path)),
    }
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    calls = list(_resolved(_entries(log, disk), tree.copy(), nodes))
    log.unlink()
    return Recording(tree, calls)


def _scanned(disk: Path, before: Path, nodes: dict[int, Node]) -> Tree:
    """The tree of a folder. Adds the numbers of its inodes to `nodes`."""
    tree = Tree(0, {0: {}})
    nodes[disk.stat().st_ino] = 0
    for found in sorted(disk.rglob("*")):
        name = found.relative_to(disk).as_posix()
        node = nodes.setdefault(found.lstat().st_ino, len(nodes))
        tree.put(tree.place(name), node)
        if found.is_dir():
            tree.folders[node] = {}
        else:
            tree.origins[node] = before / name
    return tree


def _entries(log: Path, disk: Path) -> Iterator[tuple[Kind, int, str, str, int, bytes]]:
    """The entries of the log: kind, inode, both paths below the folder, position, bytes."""
    data, position = log.read_bytes(), 0
    while position < len(data):
        magic, kind, first, second, inode, at, length = _ENTRY.unpack_from(data, position)
        assert magic == _MAGIC
        position += _ENTRY.size
        paths = []
        for size in (first, second):
            paths.append(data[position : position + size].decode().removeprefix(str(disk)).lstrip("/"))
            position += size
        kind = Kind(chr(kind))
        written = data[position : position + length] if kind is Kind.WRITTEN else b""
        position += len(written)
        yield kind, inode, paths[0], paths[1], at, written


def _resolved(
    entries: Iterator[tuple[Kind, int, str, str, int, bytes]], now: Tree, nodes: dict[int, Node]
) -> Iterator[Call]:
    """The entries as calls. `now` is the tree before them, and is updated with each call."""
    fresh = max(nodes.values()) + 1
    for kind, inode, path, other, at, data in entries:
        match kind:
            case Kind.CREATED | Kind.FOLDER_MADE:
                nodes[inode], place = fresh, now.place(path)
                now.put(place, fresh)
                if kind is Kind.FOLDER_MADE:
                    now.folders[fresh] = {}
                yield Call(kind, fresh, place)
                fresh += 1
            case Kind.WRITTEN | Kind.RESIZED | Kind.SYNCED:
                yield Call(kind, nodes[inode], at=at, data=data)
            case Kind.RENAMED | Kind.LINKED:
                place, target, node = now.place(path), now.place(other), now.find(path)
                if kind is Kind.RENAMED:
                    now.drop(place, node)
                now.put(target, node)
                yield Call(kind, node, place, target)
            case Kind.REMOVED | Kind.FOLDER_REMOVED:
                place, node = now.place(path), now.find(path)
                now.drop(place, node)
                yield Call(kind, node, place)


def names_of(disk: Path) -> Mapping[str, bytes | None]:
    """All paths below a folder, with the content of files."""
    return {
        found.relative_to(disk).as_posix(): None if found.is_dir() else found.read_bytes() for found in disk.rglob("*")
    }
