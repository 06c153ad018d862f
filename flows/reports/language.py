"""The words of pages and digests in the reader's language: gettext catalogues, written in English.

locale/{language}/LC_MESSAGES/seogo.po    the catalogue; `make catalogues` compiles it to seogo.mo
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, translation
from pathlib import Path
from typing import Literal

Language = Literal["ko", "en"]


class Words:
    """What people read, in one language. What a catalogue lacks, such as names from the archive, stays as it is."""

    def __init__(self, catalogue: GNUTranslations) -> None:
        self._catalogue = catalogue

    def t(self, text: str) -> str:
        """The text in this language."""
        return self._catalogue.gettext(text) if text else ""  # of "", gettext has the head of the catalogue

    def n(self, one: str, several: str, number: int) -> str:
        """A number with what it counts: `{}` is the number, of which English has a singular and a plural."""
        return self._catalogue.ngettext(one, several, number).format(f"{number:,}")


@cache
def words(language: Language) -> Words:
    """The words of a language."""
    return Words(translation("seogo", Path(__file__).with_name("locale"), [language]))
