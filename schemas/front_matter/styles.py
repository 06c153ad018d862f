"""How values are written in a file: the eleven keys, the escaping, and the two styles.

Pure functions from text to text. The layout around the values is in `document`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.entities import html5
from typing import Literal, NamedTuple, cast

Style = Literal["seed", "strict"]


class Fields(NamedTuple):
    """The front matter: the exact text after each `key: `, quotes and entities included, in the order of the file."""

    id: str
    title: str
    category: str
    publisher: str
    author: str
    published_at: str
    crawled_at: str
    url: str
    oid: str
    aid: str
    content_hash: str


KEYS = Fields._fields

# Text written by people. The older crawler left line breaks in the author; no other such field is known to have any,
# but all of them may. The other keys have one line.
FREE_TEXT = frozenset({"title", "category", "publisher", "author"})

# The ampersand first, because all entities begin with it. Text mode would lose a carriage return.
_ESCAPES = (
    ("&", "&amp;"),
    ("<", "&lt;"),
    (">", "&gt;"),
    ('"', "&quot;"),
    ("'", "&#x27;"),
    ("`", "&#x60;"),
    ("=", "&#x3D;"),
    ("\r", "&#xD;"),
)
_ENTITY = re.compile(r"&(?:#x([0-9a-fA-F]{1,8})|#([0-9]{1,8})|([A-Za-z][A-Za-z0-9]{1,31}));")


def escape(text: str) -> str:
    """Replace `& < > " ' =`, the backtick and the carriage return by entities. `html.unescape` reverses it, too."""
    for char, entity in _ESCAPES:
        text = text.replace(char, entity)
    return text


def unescape(text: str) -> str:
    """Reverse one level of escaping.

    Differs from `html.unescape` in two ways: a numeric entity is the character of that number, even a control character
    (for which HTML has another one or none), and an `&` without a `;` is not changed (`R&D`, `?a=1&copy=2`).
    """
    if "&" not in text:
        return text
    # The usual entities in bulk, which is many times faster. This creates no new entity, because none of their
    # characters can be part of one. The ampersand can, so it is left to the single pass over the rest.
    for char, entity in _ESCAPES[1:]:
        text = text.replace(entity, char)
    return _ENTITY.sub(_character, text)


def _character(entity: re.Match[str]) -> str:
    hexadecimal, decimal, name = entity.groups()
    if name:
        return html5.get(f"{name};", entity[0])
    number = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return chr(number) if number < 0xD800 or 0xE000 <= number <= 0x10FFFF else "\ufffd"


OFFSETS = {"published_at": "+09:00", "crawled_at": "+00:00"}
"""The zone of each time. The strict style writes it."""


def with_offsets(values: Fields) -> Fields:
    """The values with the zone of each time; an unknown time stays empty."""
    return values._replace(**{key: value + OFFSETS[key] for key in OFFSETS if (value := getattr(values, key))})


def without_offsets(values: Fields) -> Fields:
    """The values without the zones of the times."""
    return values._replace(**{key: getattr(values, key).removesuffix(offset) for key, offset in OFFSETS.items()})


def one_line(text: str) -> str:
    """The text on one line: line breaks and tabs, with the spaces around them, become one space each. Trimmed."""
    return " ".join(filter(None, map(str.strip, re.split(r"[\t\r\n]+", text))))


class Codec(NamedTuple):
    """How a style writes and reads a value of the front matter, displays it below, and writes and reads the body."""

    write: Callable[[str, str], str]  # key, value
    read: Callable[[str], str]
    show: Callable[[str], str]
    write_body: Callable[[str], str]
    read_body: Callable[[str], str]


# Beyond ASCII: what YAML does not allow unescaped (line breaks, unprintable characters), and the byte order mark.
_NOT_YAML = "\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff"
_TO_ENTITY = re.compile(rf"[\x00-\x1f\\{_NOT_YAML}]")
_TO_YAML_ESCAPE = re.compile(f"[{_NOT_YAML}]")

# A leading indicator; what a typed loader would try to parse as a number or a time, perhaps in vain; a `: ` or ` #`.
_NOT_PLAIN = re.compile(r"^[-?:,\[\]{}#&*!|>%@]|^[-+.0-9][ -~]*$|: | #|:$")


# ---- seed: HTML entities everywhere, quotes only where YAML needs them ---------------------------------------------


def _write_seed(key: str, value: str) -> str:
    raw = _TO_ENTITY.sub(lambda char: f"&#x{ord(char[0]):X};", escape(value))
    quoted = key == "title" or (key in FREE_TEXT and _NOT_PLAIN.search(raw))
    return f'"{raw}"' if quoted else raw


def _show_seed(raw: str) -> str:
    return raw[1:-1] if len(raw) > 1 and raw[0] == raw[-1] == '"' else raw


def _read_seed(raw: str) -> str:
    return unescape(_show_seed(raw))


# ---- strict: double quotes and YAML escapes in the front matter, plain text elsewhere -------------------------------


def _write_strict(_key: str, value: str) -> str:
    # A JSON string is a double-quoted YAML scalar, except for a few characters that only YAML forbids.
    raw = json.dumps(value, ensure_ascii=False)
    return _TO_YAML_ESCAPE.sub(lambda char: f"\\u{ord(char[0]):04x}", raw)


def _read_strict(raw: str) -> str:
    return cast(str, json.loads(raw))


def _show_strict(raw: str) -> str:
    return " ".join(_read_strict(raw).splitlines())


CODECS: dict[Style, Codec] = {
    "seed": Codec(_write_seed, _read_seed, _show_seed, escape, unescape),
    "strict": Codec(_write_strict, _read_strict, _show_strict, str, str),
}


UNESCAPED = CODECS["seed"]._replace(read=_show_seed, read_body=str)
"""How a `seed` file is read that the existing archive's generator wrote since 2026-02-15: nothing in it is escaped."""


def style_of(fields: Fields) -> Style:
    """The style of a file: only `strict` has quotes around the id."""
    return "strict" if fields.id.startswith('"') else "seed"
