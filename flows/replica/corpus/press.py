"""The fictitious press offices: names that no real one has, an identifier of three digits, and a website."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

MOST = 60
"""The number of press offices that can be generated."""

_STEMS = (
    ("가람", "garam"),
    ("나래", "narae"),
    ("다온", "daon"),
    ("라온", "raon"),
    ("마루", "maru"),
    ("바름", "bareum"),
    ("사름", "sareum"),
    ("아람", "aram"),
    ("자람", "jaram"),
    ("차오름", "chaoreum"),
    ("타래", "tarae"),
    ("파란", "paran"),
    ("하늘누리", "haneulnuri"),
    ("새벽별", "saebyeok"),
    ("한빛누리", "hanbitnuri"),
)
_KINDS = (("일보", "ilbo"), ("경제", "biz"), ("통신", "wire"), ("뉴스", "news"), ("방송", "tv"), ("IT", "it"))
_CATEGORIES = {"통신": "방송/통신사", "방송": "방송/통신사", "일보": "종합지"}
_FAMILY = "김이박최정강조윤장임한오서신권황안송류홍"
_GIVEN = (
    "가온",
    "나윤",
    "다은",
    "도현",
    "민서",
    "별하",
    "보람",
    "서진",
    "선우",
    "수안",
    "시우",
    "연우",
    "유진",
    "은결",
)


@dataclass(frozen=True, slots=True)
class Press:
    """A press office. `staff` are its journalists (name, e-mail address)."""

    oid: str
    name: str
    kind: str
    domain: str
    staff: tuple[tuple[str, str], ...]

    @property
    def category(self) -> str:
        """Its category on Naver's pages."""
        return _CATEGORIES.get(self.kind, "경제/IT")

    @property
    def site(self) -> str:
        return f"https://www.{self.domain}"


@cache
def presses(count: int) -> tuple[Press, ...]:
    """The first `count` press offices, always the same. Raises ValueError if there are fewer."""
    if not 1 <= count <= MOST:
        raise ValueError(f"{count} press offices requested: choose from 1 to {MOST}")
    return tuple(_press(number) for number in range(count))


def _press(number: int) -> Press:
    stem, latin = _STEMS[number % len(_STEMS)]
    kind, suffix = _KINDS[(number + number // len(_STEMS)) % len(_KINDS)]
    domain = f"{latin}-{suffix}.example"
    return Press(f"{701 + 4 * number}", stem + kind, kind, domain, _staff(number, domain))


def _staff(number: int, domain: str) -> tuple[tuple[str, str], ...]:
    rng = Random(number)
    given = rng.sample(_GIVEN, 8)
    return tuple((rng.choice(_FAMILY) + name, f"writer{at}@{domain}") for at, name in enumerate(given, 1))
