"""Parses the front matter of a file, with precise errors.

    Source          a text with its name: raises errors with file and line
    check_start     checks the first line
    read_header     parses the raw values and the number of comments, and finds the end of the front matter
    check_values    checks identifiers, hash and times, and their consistency

All errors are FrontMatterError.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from schemas.errors import FrontMatterError
from schemas.front_matter.styles import CODECS, FREE_TEXT, KEYS, OFFSETS, Fields, style_of


@dataclass(frozen=True, slots=True)
class Source:
    """A text, and its name in errors."""

    text: str
    file: str

    def fail(self, at: int, reason: str) -> NoReturn:
        """Raise an error for the line that contains the character at position `at`."""
        raise FrontMatterError(reason, line=self.text.count("\n", 0, at) + 1, file=self.file)

    def fail_at(self, key: str, reason: str) -> NoReturn:
        """Raise an error for the line of a key."""
        self.fail(self.text.index(f"\n{key}: ") + 1, reason)

    def line(self, at: int) -> str:
        """The line that contains the character at position `at`, with its line break, shortened for a message."""
        start = self.text.rfind("\n", 0, at) + 1
        end = self.text.find("\n", at) + 1 or len(self.text)
        return clip(self.text[start : min(end, start + 100)])


def clip(text: str) -> str:
    """A line for a message: quoted, without its line break, shortened."""
    return repr(text[:80].rstrip("\n") + "…" if len(text) > 80 else text.rstrip("\n"))


def check_start(source: Source) -> None:
    """Check that UTF-8 can encode the text, and that its first line opens the front matter."""
    text = source.text
    try:
        text.encode()
    except UnicodeEncodeError as error:
        source.fail(error.start, f"a lone surrogate (U+{ord(text[error.start]):04X}): the file was not read as UTF-8")
    if text.startswith("---\n"):
        return
    if text.startswith("\ufeff"):
        source.fail(0, "a byte order mark before the front matter: save the file as UTF-8 without one")
    if text.startswith("---\r"):
        source.fail(0, "the lines end in CR LF: convert the file to LF")
    source.fail(0, f"the first line must be '---', found {source.line(0)}")


# Bounded, so that a message with the key remains short.
_KEY_LINE = re.compile(r"\n([a-z_]{1,40}):( |$)", re.MULTILINE)


def read_header(source: Source) -> tuple[Fields, str | None, int]:
    """The raw values, that of `comment_count` if there is one, and the position after the closing line.

    A value extends to the next line that looks like a key. A line `---` within it does not end the front matter.
    """
    starts, stops = [], []
    at = len("---")
    for key in KEYS:
        mark = _KEY_LINE.search(source.text, at)
        if mark is None or mark[1] != key or not mark[2]:
            _fail_key(source, at, key, mark)
        stops.append(mark.start())
        starts.append(at := mark.end())
    end = source.text.find("\n---\n", at)
    if end < 0:
        source.fail(at, "the front matter has no closing line '---' after content_hash")
    fields = Fields._make(source.text[start:stop] for start, stop in zip(starts, [*stops[1:], end], strict=True))
    fields, count = _without_count(source, fields)
    _check_lines(source, fields, first=stops[0])
    return fields, count, end + len("\n---\n")


_COUNT = re.compile(r"[0-9]{1,9}")


def _without_count(source: Source, fields: Fields) -> tuple[Fields, str | None]:
    """Only `seed` files with comments have a twelfth key, behind the last of the others."""
    content_hash, key, count = fields.content_hash.partition("\ncomment_count: ")
    if not key or style_of(fields) != "seed":
        return fields, None
    if not _COUNT.fullmatch(count):
        source.fail_at("comment_count", f"comment_count must be a number, not {clip(count)}")
    return fields._replace(content_hash=content_hash), count


def _fail_key(source: Source, at: int, expected: str, mark: re.Match[str] | None) -> NoReturn:
    """Raise an error that says why the next key is not the expected one. `at` is the start of the previous value."""
    closing = source.text.find("\n---\n", at, mark.start() + 1 if mark else None)
    if closing >= 0:
        source.fail(closing + 1, f"the front matter ends without the key {expected!r}")
    if mark is None:
        source.fail(at, f"the key {expected!r} is missing after this line")
    if mark[1] not in KEYS:
        source.fail(mark.start() + 1, f"unknown key {mark[1]!r}, expected {expected!r}")
    if KEYS.index(mark[1]) < KEYS.index(expected):
        source.fail(mark.start() + 1, f"duplicate key {mark[1]!r}, expected {expected!r}")
    if mark[1] != expected:
        source.fail(mark.start() + 1, f"the key {expected!r} is missing before {mark[1]!r}")
    source.fail(mark.start() + 1, f"no space after '{expected}:' (required before an empty value, too)")


def _check_lines(source: Source, fields: Fields, *, first: int) -> None:
    if first != len("---"):
        source.fail(len("---\n"), f"expected the key 'id', found {source.line(len('---') + 1)}")
    for key, raw in zip(KEYS, fields, strict=True):
        if key not in FREE_TEXT and "\n" in raw:
            at = source.text.index(f"\n{key}: ") + len(f"\n{key}: ") + raw.index("\n") + 1
            name = _KEY_LINE.match(source.text, at - 1)
            kind = "not a key" if not name else "a duplicate key" if name[1] in KEYS else "an unknown key"
            source.fail(at, f"{kind} of the front matter: {source.line(at)}")


_SHAPES = {
    "id": (re.compile(r"[0-9]{3}_[0-9]{10}"), "an oid of 3 digits, '_' and an aid of 10"),
    "oid": (re.compile(r"[0-9]{3}"), "3 digits"),
    "aid": (re.compile(r"[0-9]{10}"), "10 digits"),
    "published_at": (re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2})?"), "YYYY-MM-DD HH:MM or nothing"),
    "crawled_at": (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"), "YYYY-MM-DD HH:MM:SS"),
    "content_hash": (re.compile(r"[0-9a-f]{64}"), "a SHA-256 of 64 hexadecimal digits in lower case"),
}


def check_values(source: Source, fields: Fields) -> None:
    """Check the form of identifiers, hash and times, their consistency, and the quotes that the style requires."""
    style = style_of(fields)
    if style == "strict":
        _check_quoted(source, fields)
    elif not (len(fields.title) > 1 and fields.title[0] == fields.title[-1] == '"'):
        source.fail_at("title", f"the title is not in double quotes: {clip(fields.title)}")
    values = {key: CODECS[style].read(getattr(fields, key)) for key in (*_SHAPES, "url")}
    if style == "strict":  # with zones, or as written before there were any
        values |= {key: values[key].removesuffix(offset) for key, offset in OFFSETS.items()}
    for key, (shape, expected) in _SHAPES.items():
        if not shape.fullmatch(values[key]):
            source.fail_at(key, f"{key} must be {expected}, not {clip(values[key])}")
    _check_names(source, values)
    _check_time(source, "published_at", values["published_at"])
    _check_time(source, "crawled_at", values["crawled_at"])


def _check_names(source: Source, values: dict[str, str]) -> None:
    oid, aid, url = values["oid"], values["aid"], values["url"]
    if values["id"] != f"{oid}_{aid}":
        source.fail_at("id", f"the id {values['id']} does not consist of the oid {oid} and the aid {aid}")
    if oid not in url or aid not in url:
        source.fail_at("url", f"the url does not belong to {values['id']}: {clip(url)}")


def _check_quoted(source: Source, fields: Fields) -> None:
    """Check that values are exactly as seogo writes them, so that YAML and `loads` cannot read them differently."""
    strict = CODECS["strict"]
    for key, raw in zip(KEYS, fields, strict=True):
        try:
            same = raw.startswith('"') and strict.write(key, strict.read(raw)) == raw
        except json.JSONDecodeError:
            same = False
        if not same:
            source.fail_at(key, f"{key} is not in double quotes with seogo's escapes (required because id is quoted)")


def _check_time(source: Source, key: str, value: str) -> None:
    try:
        datetime.fromisoformat(value or "2000-01-01")
    except ValueError as error:
        source.fail_at(key, f"{key} is not a valid time: {value} ({error})")
