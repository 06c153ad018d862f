"""Made-up Korean prose: of different seeds it has nothing in common, of the same seed it is the same."""

from __future__ import annotations

from functools import cache
from random import Random

_SYLLABLES = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호구누두루무부수우"
_ENDINGS = ("했다", "밝혔다", "말했다", "전했다", "나타났다")


def sentences(seed: int, number: int = 12) -> list[str]:
    """Sentences of some 30 syllables each."""
    rng = Random(seed)
    return [" ".join([*(_word(rng) for _ in range(9)), rng.choice(_ENDINGS)]) + "." for _ in range(number)]


@cache
def prose(seed: int, number: int = 12) -> str:
    """A text of so many sentences, three a paragraph."""
    lines = sentences(seed, number)
    return "\n\n".join(" ".join(lines[at : at + 3]) for at in range(0, number, 3))


def _word(rng: Random) -> str:
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(2, 4)))
