"""The result of a check."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"  # a run works, though not as well as it could
    ERROR = "error"  # a run fails, or does not do what it is for


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked, what was found, and what to do about it (empty if nothing).

    `found` and `todo` hold no key and nothing that a page says: they are meant for bug reports.
    """

    name: str
    level: Level
    found: str
    todo: str = ""


def ok(name: str, found: str) -> Check:
    """A check without objection."""
    return Check(name, Level.OK, found)


def warning(name: str, found: str, todo: str) -> Check:
    """A check that leaves something to improve."""
    return Check(name, Level.WARNING, found, todo)


def error(name: str, found: str, todo: str) -> Check:
    """A check that failed."""
    return Check(name, Level.ERROR, found, todo)


def worst(checks: Iterable[Check]) -> Level:
    """The highest level of all checks; OK if there are none."""
    return max((check.level for check in checks), key=list(Level).index, default=Level.OK)


def without(check: Check, secrets: Iterable[str]) -> Check:
    """The check with `***` for each secret, should a library's or a server's message repeat one."""
    return Check(check.name, check.level, masked(check.found, secrets), masked(check.todo, secrets))


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with `***` for each secret, in any case."""
    pattern = "|".join(re.escape(secret) for secret in secrets if secret)
    return re.sub(pattern, "***", text, flags=re.IGNORECASE) if pattern else text
