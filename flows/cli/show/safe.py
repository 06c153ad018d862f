"""Text from the web made safe for a terminal, and what happens if nobody reads the output. Does not need Rich."""

from __future__ import annotations

import os
from typing import NoReturn

from flows.cli.exit_codes import ExitStatus
from schemas.safe_text import STEERING

# Text from the web must not control the terminal. A control character is shown as its picture, ␛ for escape; a
# character that changes the direction of writing, or that only some programs take for a line break, as its number.
_PICTURES: dict[int, int | str] = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}
_PICTURES |= dict.fromkeys((0x7F, *range(0x80, 0xA0)), 0xFFFD)
_PICTURES |= {code: f"<U+{code:04X}>" for code in STEERING}
_LINE_PICTURES = _PICTURES | {ord(c): 0x2400 + ord(c) for c in "\n\t"}
JSON_ESCAPES = {code: f"\\u{code:04x}" for code in (0x7F, *range(0x80, 0xA0), *STEERING)}
"""The same for JSON, in which control characters below 0x20 are escaped anyway."""


def shown(text: object) -> str:
    """A text that is safe in a terminal."""
    return str(text).translate(_PICTURES)


def line(text: object) -> str:
    """The same on one line."""
    return str(text).translate(_LINE_PICTURES)


def reader_left() -> NoReturn:
    """The reader of standard output closed the pipe (`| head`): exit without an error message."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what Python flushes at exit
    raise SystemExit(ExitStatus.code)
