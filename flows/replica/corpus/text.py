"""Generated Korean sentences: templates with slots, and particles that agree with the preceding word.

A template is a format string. `{team:은}` is the slot `team` followed by 은 or 는, depending on its last sound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

_PARTICLES = {
    "은": ("은", "는"),
    "이": ("이", "가"),
    "을": ("을", "를"),
    "과": ("과", "와"),
    "으로": ("으로", "로"),
    "이라": ("이라", "라"),
    "이다": ("이다", "다"),
    "이나": ("이나", "나"),
}
_QUOTING = {"고": ("고", "이라고", "라고"), "며": ("며", "이라며", "라며"), "는": ("는", "이라는", "라는")}
_RIEUL = 8  # 으로 follows ㄹ as it follows a vowel: 서울로
_DIGIT_FINALS = {"0": 21, "1": _RIEUL, "3": 16, "6": 1, "7": _RIEUL, "8": _RIEUL}
_LETTER_FINALS = {"l": _RIEUL, "m": 16, "n": 4, "r": _RIEUL}
_CLOSING = "\"'”’)]>」』"


def final_sound(word: str) -> int:
    """The final consonant of a word (0: none, else its Unicode index); Latin letters and digits as they are read."""
    last = word.rstrip(_CLOSING)[-1:].lower()
    if "가" <= last <= "힣":
        return (ord(last) - 0xAC00) % 28
    return _DIGIT_FINALS.get(last, 0) or _LETTER_FINALS.get(last, 0)


def particle(word: str, form: str) -> str:
    """The form of a particle that agrees with the word: `particle("모델", "은")` is 은. Other text is returned as is.

    After a quotation, 고, 며 and 는 depend on how the sentence ends: “좋다”고, “처음”이라고, “사례”라고.
    """
    if form in _QUOTING:
        return _QUOTING[form][0 if word.endswith("다") else 1 if final_sound(word) else 2]
    closed, opened = _PARTICLES.get(form, (form, form))
    sound = final_sound(word)
    return opened if sound == 0 or (form == "으로" and sound == _RIEUL) else closed


class Word(str):
    """The word of a slot. Its format specification is the particle, after a closing quotation mark if there is one."""

    __slots__ = ()

    def __format__(self, form: str) -> str:
        bare = form.lstrip(_CLOSING)
        return f"{self!s}{form[: len(form) - len(bare)]}{particle(self, bare)}" if form else str(self)


class Slots(dict[str, Word]):
    """The slots of one sentence, drawn when a template uses them.

    `steady` contains the words that are fixed within an article (its team, its place); all others are drawn for each
    sentence. `num_3_40` is a number from 3 to 40; `field2` is a second draw from the words of `field`. A drawn word may
    itself be a template.
    """

    def __init__(self, rng: Random, words: Mapping[str, Sequence[str]], steady: Mapping[str, Word]) -> None:
        super().__init__(steady)
        self._rng = rng
        self._words = words
        self._steady = steady

    def __missing__(self, name: str) -> Word:
        word = Word(self._draw(name))
        self[name] = word
        return word

    def _draw(self, name: str) -> str:
        if name.startswith("num_"):
            _, low, high, *_ = name.split("_")
            return f"{self._rng.randint(int(low), int(high)):,}"
        first = name.rstrip("23456789")
        word = pick(self._rng, self._words[first])
        if first != name and word == self.get(first):
            word = pick(self._rng, self._words[first])
        return word.format_map(Slots(self._rng, self._words, self._steady)) if "{" in word else word


def pick(rng: Random, values: Sequence[str]) -> str:
    """A random value. Faster than Random.choice, which matters for a million articles."""
    return values[int(rng.random() * len(values))]


def writer(rng: Random, words: Mapping[str, Sequence[str]], steady: Mapping[str, str]) -> Callable[[str], str]:
    """A function that fills a template: steady slots are fixed, all others are drawn each time."""
    fixed = {name: Word(value) for name, value in steady.items()}
    return lambda template: template.format_map(Slots(rng, words, fixed))
