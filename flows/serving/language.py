"""Which language a reader wants, and the words of the pages in it.

The templates are in English; assets/korean.tsv has the Korean of each of their phrases.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

LANGUAGES = ("ko", "en")
DEFAULT = "ko"

_ENGLISH = {
    "gone": "deleted",
    "published_at": "published",
    "modified_at": "modified",
    "nothing_new": "nothing new",
    "story": "story changed",
}


@cache
def korean() -> dict[str, str]:
    """The English of the templates -> Korean."""
    text = resources.files("flows.serving").joinpath("assets", "korean.tsv").read_text("utf-8")
    return dict(line.split("\t") for line in text.splitlines())


def translate(language: str, text: str) -> str:
    """The words in the language of the page; names from the archive without a translation stay as they are."""
    return korean().get(text, text) if language == "ko" else _ENGLISH.get(text, text)


def choose(wanted: str | None, accepted: str) -> str:
    """The language that the address names, otherwise the best that the browser accepts (Accept-Language)."""
    if wanted in LANGUAGES:
        return wanted
    ranked = sorted((_preference(part) for part in accepted.split(",")[:20]), key=lambda one: -one[1])
    return next((language for language, quality in ranked if language in LANGUAGES and quality > 0), DEFAULT)


def _preference(part: str) -> tuple[str, float]:
    tag, _, parameter = part.partition(";")
    try:
        quality = float(parameter.strip().removeprefix("q=") or 1)
    except ValueError:
        quality = 0.0
    return tag.strip().lower().partition("-")[0], quality
