"""Which language a reader wants."""

from __future__ import annotations

from typing import get_args

from flows.reports.language import Language

LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "ko"


def choose(wanted: str | None, accepted: str) -> Language:
    """The language that the address names, otherwise the best that the browser accepts (Accept-Language)."""
    ranked = sorted((_preference(part) for part in accepted.split(",")[:20]), key=lambda one: -one[1])
    names = [wanted, *(name for name, quality in ranked if quality > 0)]
    return next((language for name in names for language in LANGUAGES if language == name), DEFAULT)


def _preference(part: str) -> tuple[str, float]:
    tag, _, parameter = part.partition(";")
    try:
        quality = float(parameter.strip().removeprefix("q=") or 1)
    except ValueError:
        quality = 0.0
    return tag.strip().lower().partition("-")[0], quality
