"""Whether an article is about the topic, and why. Pure: text in, a score with its reasons out.

How a phrase is found, whatever the case:

- White space in the phrase stands for any run of white space, none too: `독자 AI 모델` is in `독자AI모델`.
- A Latin letter at an end of the phrase does not touch another letter, a digit no other digit: `SKT` is in `SKT는` and
  not in `DESKTOP`. Hangul may touch anything, since particles do (`독파모는`).
- Once in the title and once in the body: to say it ten times does not make it truer.

A topic is compiled once. Each phrase is sought as a plain substring of the text without its white space, which nearly
always says no; only a hit is looked at with a regular expression, for ends and spaces. All of it is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from schemas.nfc import nfc
from schemas.topic import ExcludeRule, PhraseRule, Relevance, Team

Where: TypeAlias = Literal["title", "body"]

_LETTERS = "[a-zß-öø-ɏ]"
_BOTH: tuple[Where, ...] = ("title", "body")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an article scores: a rule found a phrase in a place. `count` says how often; the weight counts once."""

    name: str
    phrase: str
    where: Where
    weight: float
    count: int
    veto: bool = False

    def __str__(self) -> str:
        effect = "veto" if self.veto else f"{self.weight:+g}"
        label = "" if self.name == self.phrase else f"{self.name}: "
        return f"{effect} {label}{self.phrase!r} in the {self.where}" + (f", {self.count} times" * (self.count > 1))


@dataclass(frozen=True, slots=True)
class Score:
    """The sum of the reasons' weights, and whether it reaches the threshold without a veto."""

    value: float
    relevant: bool
    reasons: tuple[Reason, ...] = ()


def score(title: str, body: str, relevance: Relevance, teams: tuple[Team, ...] = ()) -> Score:
    """Score an article by the rules of its topic."""
    rules = _compiled(relevance, teams)
    texts: dict[Where, _Text] = {"title": _prepare(title), "body": _prepare(body)}
    in_context = not rules.context or any(needle.is_in(texts.values()) for needle in rules.context)
    reasons = tuple(
        reason for rule in rules.rules if in_context or not rule.needs_context for reason in rule.reasons(texts)
    )
    value = round(sum(reason.weight for reason in reasons), 6)
    vetoed = any(reason.veto for reason in reasons)
    return Score(value, value >= relevance.threshold and not vetoed, reasons)


class Mention(NamedTuple):
    """A team that an article names, and which of its models, as the topic writes them."""

    team: str
    models: tuple[str, ...]


def mentions(title: str, body: str, teams: tuple[Team, ...]) -> tuple[Mention, ...]:
    """The teams that an on-topic article names, by an alias or by a model, in the order of the topic.

    It does not ask for the topic's context words: in an article that is not on-topic, 솔라 may be solar energy.
    """
    texts = (_prepare(title), _prepare(body))
    found = []
    for team in _compiled_teams(teams):
        models = tuple(needle.phrase for needle in team.models if needle.is_in(texts))
        if models or any(needle.is_in(texts) for needle in team.aliases):
            found.append(Mention(team.name, models))
    return tuple(found)


class _Text(NamedTuple):
    """A text to be searched: NFC and case-folded, once as it stands and once without white space."""

    spaced: str
    compact: str


def _prepare(text: str) -> _Text:
    spaced = nfc(text).casefold()
    return _Text(spaced, "".join(spaced.split()))


@dataclass(frozen=True, slots=True)
class _Needle:
    """A phrase ready to be found. `pattern` is None where finding the letters is proof enough."""

    phrase: str
    compact: str
    pattern: re.Pattern[str] | None

    def count(self, text: _Text) -> int:
        """How often the phrase stands in the text."""
        if self.compact not in text.compact:
            return 0
        if self.pattern is None:
            return text.spaced.count(self.compact)
        return sum(1 for _ in self.pattern.finditer(text.spaced))

    def is_in(self, texts: Iterable[_Text]) -> bool:
        """Whether the phrase stands in one of them."""
        return any(self.count(text) for text in texts)


def _needle(phrase: str) -> _Needle:
    words = _prepare(phrase).spaced.split()
    compact = "".join(words)
    before, after = _neighbours(compact[0]), _neighbours(compact[-1])
    if len(words) == 1 and not before and not after:
        return _Needle(phrase, compact, None)
    pattern = r"\s*+".join(map(re.escape, words))
    if before:
        # Behind the first letter, not before it: so re can jump from one such letter to the next.
        first = re.escape(compact[0])
        pattern = f"{first}(?<!{before}{first}){pattern.removeprefix(first)}"
    if after:
        pattern += f"(?!{after})"
    return _Needle(phrase, compact, re.compile(pattern))


def _neighbours(character: str) -> str:
    """The characters (a class of `re`) that may not touch this one at an end of the phrase."""
    if character.isdecimal():
        return r"\d"
    return _LETTERS if re.match(_LETTERS, character) else ""


@dataclass(frozen=True, slots=True)
class _Rule:
    """Needles that say the same, and what one of them is worth in each of the places."""

    name: str
    needles: tuple[_Needle, ...]
    weight: float
    places: tuple[Where, ...] = _BOTH
    needs_context: bool = False
    veto: bool = False

    def reasons(self, texts: dict[Where, _Text]) -> list[Reason]:
        """At most one for each place."""
        return [reason for where in self.places if (reason := self._reason(where, texts[where]))]

    def _reason(self, where: Where, text: _Text) -> Reason | None:
        for needle in self.needles:
            if count := needle.count(text):
                return Reason(self.name, needle.phrase, where, self.weight, count, self.veto)
        return None


class _Rules(NamedTuple):
    rules: tuple[_Rule, ...]
    context: tuple[_Needle, ...]


@lru_cache(maxsize=16)
def _compiled(relevance: Relevance, teams: tuple[Team, ...]) -> _Rules:
    rules = [_rule(rule) for rule in relevance.phrases] + [_rule(rule) for rule in relevance.exclude]
    rules += [rule for team in teams for rule in _team_rules(team)]
    return _Rules(tuple(rules), _needles(relevance.context))


class _Names(NamedTuple):
    """What a team and its models are called."""

    name: str
    aliases: tuple[_Needle, ...]
    models: tuple[_Needle, ...]


@lru_cache(maxsize=16)
def _compiled_teams(teams: tuple[Team, ...]) -> tuple[_Names, ...]:
    return tuple(_Names(team.name, _needles(team.aliases), _needles(team.models)) for team in teams)


def _rule(rule: PhraseRule | ExcludeRule) -> _Rule:
    name = rule.name or rule.phrases[0]
    places = _BOTH if rule.where == "any" else (rule.where,)
    if rule.weight == "veto":
        return _Rule(name, _needles(rule.phrases), 0.0, places, veto=True)
    return _Rule(name, _needles(rule.phrases), rule.weight, places)


def _team_rules(team: Team) -> list[_Rule]:
    pairs = ((team.name, team.aliases), (f"model of {team.name}", team.models))
    return [_Rule(name, _needles(phrases), team.weight, needs_context=True) for name, phrases in pairs]


def _needles(phrases: Iterable[str]) -> tuple[_Needle, ...]:
    return tuple(_needle(phrase) for phrase in phrases)
