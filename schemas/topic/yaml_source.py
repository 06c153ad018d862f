"""Reads the YAML of a topic file so that every mistake can be reported with its file and line.

Scalars remain text, because YAML would turn `oids: [001]` into the number 1 and `name: no` into False; validation
converts them. A key without a value counts as omitted. Aliases, tags and deep nesting are refused: a topic does not
need them, and without them any file is read in bounded time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

import yaml

from schemas.errors import TopicError

MAX_BYTES = 64 * 1024
MAX_DEPTH = 12
MAX_CHAIN = 5
_TAGS = {"map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value"}

Value: TypeAlias = "str | list[Value] | dict[str, Value] | None"
Loc: TypeAlias = tuple[str | int, ...]
"""The path to a value: ("limits", "hosts", "n.news.naver.com") or ("queries", 2)."""


class Position(NamedTuple):
    """A file as the user named it, and a line counted from 1."""

    file: str
    line: int


class Mistake(NamedTuple):
    """A mistake and its position. Sorts by file and line."""

    position: Position
    text: str

    def __str__(self) -> str:
        return f"{self.position.file}:{self.position.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Document:
    """The values of a file, their positions, and the mistakes that did not prevent reading it."""

    values: dict[str, Value]
    positions: dict[Loc, Position] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()

    def position(self, loc: Loc) -> Position:
        """The position of `loc`; for a missing key, that of its parent."""
        return next(self.positions[loc[:n]] for n in range(len(loc), -1, -1) if loc[:n] in self.positions)

    def value(self, loc: Loc) -> Value:
        """The value at `loc` as written in the file, None if there is none. Text may stand for a list of one item."""
        value: Value = self.values
        for part in loc:
            if isinstance(value, dict) and isinstance(part, str):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int):
                value = value[part]
            else:
                break
        return value

    def over(self, base: Document) -> Document:
        """This document, extended by the top-level keys of `base` that it does not have."""
        kept = {loc: position for loc, position in base.positions.items() if loc and loc[0] not in self.values}
        return Document(base.values | self.values, kept | self.positions, base.mistakes + self.mistakes)


def read_document(path: Path) -> Document:
    """Read a topic file and the files that it extends. Raises TopicError if one of them cannot be parsed."""
    return _read(path, chain=())


def dotted(loc: Loc) -> str:
    """`("limits", "hosts", "a.b", 0)` in readable form: `limits.hosts['a.b'][0]`."""
    plain = re.compile(r"\w[\w-]{0,59}")
    parts = (f".{part}" if isinstance(part, str) and plain.fullmatch(part) else f"[{_short(part)}]" for part in loc)
    return "".join(parts).removeprefix(".")


def given(value: object) -> str:
    """A value in an error message: short, and without raw control characters."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "keys with values"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    return _short(str(value))


def _read(path: Path, chain: tuple[Path, ...]) -> Document:
    document = parse_document(_text(path), str(path))
    if "extends" not in document.values:
        return document
    base = document.values.pop("extends")
    position = document.positions[("extends",)]
    chain = (*chain, path.resolve())
    if not isinstance(base, str):
        raise TopicError(f"{position.file}:{position.line}: extends: expected the name of another topic file")
    try:
        return document.over(_read(_next(path.parent / base, chain), chain))
    except TopicError as error:
        raise TopicError(f"{position.file}:{position.line}: extends: {error}") from None


def _next(base: Path, chain: tuple[Path, ...]) -> Path:
    try:
        found = base.is_file()
    except OSError as error:
        raise TopicError(f"{base}: cannot be read: {error.strerror}") from error
    if not found:
        raise TopicError(f"{base}: no such file (the name is relative to the file that extends it)")
    if base.resolve() in chain:
        raise TopicError(f"{base}: a topic file cannot extend itself, directly or indirectly")
    if len(chain) >= MAX_CHAIN:
        raise TopicError(f"{base}: more than {MAX_CHAIN} levels of extends")
    return base


def _text(path: Path) -> str:
    # Only a regular file is accepted: reading a pipe or a device might never end.
    try:
        if not path.is_file():
            what = "not a file" if path.exists() else "no such file"
            raise TopicError(f"{path}: {what}: name a topic file with --topic FILE or SEOGO_TOPIC")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:  # also for a name that is too long
        raise TopicError(f"{path}: cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise TopicError(f"{path}: too large for a topic file: expected at most {MAX_BYTES:,} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TopicError(f"{path}:{line}: not UTF-8 text: save the file as UTF-8") from error


def parse_document(text: str, file: str) -> Document:
    """Parse one YAML text, without following `extends`. Raises TopicError."""
    try:
        root = _Composer(text).get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise TopicError(f"{file}:{line}: not YAML: the character U+{error.character:04X} is not allowed") from error
    except yaml.MarkedYAMLError as error:
        raise TopicError(f"{file}:{_where(error)}: not YAML: {_why(error)}") from error
    except (ValueError, OverflowError) as error:
        # PyYAML passes a \U escape or a %YAML version to chr() and int() unchecked.
        raise TopicError(f"{file}:1: not YAML: a number in an escape or a directive is out of range") from error
    if not isinstance(root, yaml.MappingNode):
        what = "an empty file" if root is None else "no keys"
        raise TopicError(f"{file}:1: expected a topic with lines of the form `key: value` (given {what})")
    return _Collector(file).document(root)


class _Composer(yaml.SafeLoader):
    """Composes the node tree, without aliases and with limited depth."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not allowed in a topic file", problem_mark=mark)
        if self.depth >= MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {MAX_DEPTH} levels", problem_mark=mark)
        self.depth += 1
        node = super().compose_node(parent, index)  # type: ignore[arg-type]  # the stubs allow only a number
        self.depth -= 1
        return node


class _Collector:
    """Converts the nodes of one file to values, and records their positions."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.positions: dict[Loc, Position] = {}
        self.mistakes: list[Mistake] = []

    def document(self, root: yaml.MappingNode) -> Document:
        self.positions[()] = self._position(root)
        return Document(self._mapping(root, ()), self.positions, tuple(self.mistakes))

    def _value(self, node: yaml.Node, loc: Loc) -> Value:
        if node.tag.removeprefix("tag:yaml.org,2002:") not in _TAGS:
            self._mistake(node, loc, f"tags such as {_short(node.tag)} are not allowed in a topic file")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, loc)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, loc)
        return None if node.tag.endswith(":null") else self._scalar(node, loc)

    def _mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node, loc) if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                self._mistake(key_node, loc, "expected text as the key (given a list or a mapping)")
                continue
            here = (*loc, key)
            if here in self.positions:
                self._mistake(key_node, here, f"duplicate key: first on line {self.positions[here].line}")
                continue
            self.positions[here] = self._position(key_node)
            values[key] = self._value(value_node, here)
        return {key: value for key, value in values.items() if value is not None}

    def _sequence(self, node: yaml.SequenceNode, loc: Loc) -> list[Value]:
        values: list[Value] = []
        for index, item in enumerate(node.value):
            here = (*loc, index)
            self.positions[here] = self._position(item)
            values.append(self._value(item, here))
        return values

    def _scalar(self, node: yaml.Node, loc: Loc) -> str:
        text = str(node.value)
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            self._mistake(node, loc, "half of a surrogate pair is not a character")
            return text.encode(errors="replace").decode()
        return text

    def _position(self, node: yaml.Node) -> Position:
        return Position(self.file, node.start_mark.line + 1)

    def _mistake(self, node: yaml.Node, loc: Loc, text: str) -> None:
        prefix = f"{dotted(loc)}: " if loc else ""
        self.mistakes.append(Mistake(self._position(node), prefix + text))


def _where(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f"{mark.line + 1}:{mark.column + 1}" if mark else "1"


def _why(error: yaml.MarkedYAMLError) -> str:
    hint = " (YAML requires spaces, not tabs)" if "'\\t'" in (error.problem or "") else ""
    context = f", {error.context}" if error.context else ""
    return f"{error.problem}{context}{hint}"


def _short(value: str | int) -> str:
    return repr(value if isinstance(value, int) or len(value) <= 60 else value[:59] + "…")
