"""Whether an article is about the topic, and why. Pure: text in, a score with its reasons out.

How a phrase is found, whatever the case:

- White space, hyphens and quotation marks in the phrase stand for any run of these, none too: `독자 AI 모델` is in
  `독자AI모델` and in `‘독자 AI’ 모델`, `K-엑사원` is in `K엑사원`.
- A Latin letter at an end of the phrase does not touch another letter, a digit no other digit: `SKT` is in `SKT는` and
  not in `DESKTOP`. Hangul of a rule's phrase may touch anything: `독파모` is in `독파모용`.
- A team's alias and a model's name are no part of a longer word: Hangul does not touch them, but for the particles
  behind them: `솔라` is in `솔라는`, not in `솔라시도`.
- Once in the title and once in the body: to say it ten times does not make it truer. What news is about stands in its
  title or its lead: a rule can weigh less where its phrases only stand behind the lead.

A topic is compiled once. Each phrase is sought as a plain substring of the text without its white space, which nearly
always says no; only a hit is looked at with a regular expression, for ends and spaces. All of it is linear in the text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Literal, NamedTuple, TypeAlias

from schemas.nfc import nfc
from schemas.topic import ExcludeRule, PhraseRule, Relevance, Team, Topic

Where: TypeAlias = Literal["title", "body"]

MATCHING = 1
"""The version of how phrases are found. Raise it when the same topic file may give another score."""

LEAD = 300
"""Characters of a body in which news says what it is about."""

_MARKS = "-‐‑'\"‘’“”"
"""What counts as white space."""

_LETTERS = "[a-zß-öø-ɏ]"
_HANGUL = "[가-힣]"
_BOTH: tuple[Where, ...] = ("title", "body")

# What follows a noun without a space: 솔라+에서+도, 솔라+만+으로+는, 솔라+이라고+도, 솔라+였다. Left out are a bare 나
# (or), since 솔라나 is a coin, and orders that no grammar has: 솔라도로 is a road, 솔라지도 a map.
_SUFFIX = "(?:측|팀|들|급|장)"
_CASE = (
    "(?:이|가|을|를|의|에|에서|에선|에게|에겐|에게서|한테|께|께서|와|과|랑|이랑|하고|으?로|으?론|으?로서|으?로써|으?로부터"
    "|처럼|보다|만큼|대로|같이)"
)
_ONLY = "(?:까지|까진|부터|부턴|에서부터|마저|조차|밖에|뿐|뿐만|마다|만|은커녕|는커녕)"
_TOPIC = "(?:은|는|도|의|을|를|이|가|이나|이?라도|이?든|이?든지|이?야|이?요)"
_COPULA = (
    "(?:이?(?:다|라|라고(?:는|도|만)?|라는|라며|라면|라서|란|며|고|자|지만|므로|기에)|이기|이기도|인|인데|인지|일|임"
    f"|입니다|이에요|예요|(?:이었|였){_HANGUL}{{0,4}})"
)
_WORD_ENDS = re.compile(f"{_SUFFIX}?(?:{_CASE}?{_ONLY}?{_CASE}?{_TOPIC}?|{_ONLY}?{_COPULA})(?!{_HANGUL})")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an article scores: a rule found a phrase in a place. `count` says how often; the weight counts once.

    `in_passing`: only behind the lead, which this rule weighs less.
    """

    name: str
    phrase: str
    where: Where
    weight: float
    count: int
    veto: bool = False
    in_passing: bool = False

    def __str__(self) -> str:
        effect = "veto" if self.veto else f"{self.weight:+g}"
        label = "" if self.name == self.phrase else f"{self.name}: "
        times = f", {self.count} times" * (self.count > 1)
        return f"{effect} {label}{self.phrase!r} in the {self.where}{times}" + ", in passing" * self.in_passing


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
    in_context = not rules.context or _any_in(rules.context, texts.values())
    reasons = tuple(
        reason for rule in rules.rules if in_context or not rule.needs_context for reason in rule.reasons(texts)
    )
    value = round(sum(reason.weight for reason in reasons), 6)
    vetoed = any(reason.veto for reason in reasons)
    return Score(value, value >= relevance.threshold and not vetoed, reasons)


def rules_version(topic: Topic) -> str:
    """A digest (16 hex digits) of all that scores, teams and models depend on: it changes when they may."""
    rules = topic.model_dump_json(include={"relevance", "teams"})
    return hashlib.sha256(f"{MATCHING}\n{rules}".encode()).hexdigest()[:16]


class Mention(NamedTuple):
    """A team that an article names, and which of its models, each by the first spelling that the topic has of it."""

    team: str
    models: tuple[str, ...]


def mentions(title: str, body: str, teams: tuple[Team, ...]) -> tuple[Mention, ...]:
    """The teams that an on-topic article names, by an alias or by a model, in the order of the topic.

    It does not ask for the topic's context words: in an article that is not on-topic, 솔라 may be solar energy.
    """
    texts = (_prepare(title), _prepare(body))
    found = []
    for team in _compiled_teams(teams):
        models = _models_in(team, texts)
        if models or _any_in(team.aliases, texts):
            found.append(Mention(team.name, models))
    return tuple(found)


class _Text(NamedTuple):
    """A text to be searched: NFC and case-folded, once with its white space and once without."""

    spaced: str
    compact: str


@lru_cache(maxsize=4)  # score and mentions ask for the same title and body
def _prepare(text: str) -> _Text:
    spaced = nfc(text).casefold()
    for mark in _MARKS:
        spaced = spaced.replace(mark, " ")
    return _Text(spaced, "".join(spaced.split()))


@dataclass(frozen=True, slots=True)
class _Needle:
    """A phrase ready to be found. `takes_particles`: its last syllable has to be a word's, but for particles."""

    phrase: str
    compact: str
    pattern: re.Pattern[str]
    takes_particles: bool = False

    def spans(self, text: _Text) -> Iterator[tuple[int, int]]:
        """Where the phrase stands in the text, with its white space."""
        for match in self.pattern.finditer(text.spaced):
            if not self.takes_particles or _WORD_ENDS.match(text.spaced, match.end()):
                yield match.span()

    def count(self, text: _Text) -> int:
        """How often the phrase stands in the text."""
        return sum(1 for _ in self.spans(text))

    def is_in_lead(self, text: _Text) -> bool:
        """Whether the phrase begins in the lead."""
        return any(start < LEAD for start, _ in islice(self.spans(text), 1))


def _candidates(needles: Iterable[_Needle], text: _Text) -> list[_Needle]:
    """The needles whose letters stand in the text: only these are worth a closer look."""
    compact = text.compact
    return [needle for needle in needles if needle.compact in compact]


def _any_in(needles: Iterable[_Needle], texts: Collection[_Text]) -> bool:
    """Whether one of the phrases stands in one of the texts."""
    return any(needle.count(text) for text in texts for needle in _candidates(needles, text))


def _needle(phrase: str, *, is_name: bool = False) -> _Needle:
    words = _prepare(phrase).spaced.split()
    compact = "".join(words)
    before, after = (_neighbours(compact[at], is_name=is_name) for at in (0, -1))
    pattern = r"\s*+".join(map(re.escape, words))
    if before:
        # Behind the first letter, not before it: so re can jump from one such letter to the next.
        first = re.escape(compact[0])
        pattern = f"{first}(?<!{before}{first}){pattern.removeprefix(first)}"
    if after and after != _HANGUL:
        pattern += f"(?!{after})"
    return _Needle(phrase, compact, re.compile(pattern), takes_particles=after == _HANGUL)


def _neighbours(character: str, *, is_name: bool) -> str:
    """The characters (a class of `re`) that may not touch this one at an end of the phrase."""
    if character.isdecimal():
        return r"\d"
    classes = (_LETTERS, _HANGUL) if is_name else (_LETTERS,)
    return next((each for each in classes if re.match(each, character)), "")


@dataclass(frozen=True, slots=True)
class _Rule:
    """Needles that say the same, and what one of them is worth in each of the places."""

    name: str
    needles: tuple[_Needle, ...]
    weight: float
    in_passing: float
    places: tuple[Where, ...] = _BOTH
    needs_context: bool = False
    veto: bool = False

    def reasons(self, texts: dict[Where, _Text]) -> list[Reason]:
        """At most one for each place."""
        return [reason for where in self.places if (reason := self._reason(where, texts[where]))]

    def _reason(self, where: Where, text: _Text) -> Reason | None:
        for needle in _candidates(self.needles, text):
            if count := needle.count(text):
                passing = where == "body" and self.in_passing != self.weight and not self._is_in_lead(text)
                weight = self.in_passing if passing else self.weight
                return Reason(self.name, needle.phrase, where, weight, count, self.veto, passing)
        return None

    def _is_in_lead(self, body: _Text) -> bool:
        return any(needle.is_in_lead(body) for needle in _candidates(self.needles, body))


class _Rules(NamedTuple):
    rules: tuple[_Rule, ...]
    context: tuple[_Needle, ...]


@lru_cache(maxsize=16)
def _compiled(relevance: Relevance, teams: tuple[Team, ...]) -> _Rules:
    rules = [_rule(rule) for rule in relevance.phrases] + [_rule(rule) for rule in relevance.exclude]
    rules += [rule for team in teams for rule in _team_rules(team)]
    return _Rules(tuple(rules), _needles(relevance.context))


class _TeamNames(NamedTuple):
    """What a team is called, and each spelling of a model with the model's first."""

    name: str
    aliases: tuple[_Needle, ...]
    spellings: tuple[_Needle, ...]
    models: dict[str, str]


def _models_in(team: _TeamNames, texts: Collection[_Text]) -> tuple[str, ...]:
    """The models that stand in the texts, in the order of the topic; none for a name within a longer one."""
    found = set()
    for text in texts:
        covered = 0
        hits = [(*span, needle) for needle in _candidates(team.spellings, text) for span in needle.spans(text)]
        for _, end, needle in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
            if end > covered:
                found.add(team.models[needle.phrase])
                covered = end
    return tuple(model for model in dict.fromkeys(team.models.values()) if model in found)


@lru_cache(maxsize=16)
def _compiled_teams(teams: tuple[Team, ...]) -> tuple[_TeamNames, ...]:
    return tuple(_team_names(team) for team in teams)


def _team_names(team: Team) -> _TeamNames:
    models = {spelling: spellings[0] for spellings in team.models for spelling in spellings}
    return _TeamNames(team.name, _names(team.aliases), _names(models), models)


def _rule(rule: PhraseRule | ExcludeRule) -> _Rule:
    weight = 0.0 if rule.weight == "veto" else rule.weight
    in_passing = rule.in_passing if isinstance(rule, PhraseRule) else None
    return _Rule(
        name=rule.name or rule.phrases[0],
        needles=_needles(rule.phrases),
        weight=weight,
        in_passing=weight if in_passing is None else in_passing,
        places=_BOTH if rule.where == "any" else (rule.where,),
        veto=rule.weight == "veto",
    )


def _team_rules(team: Team) -> list[_Rule]:
    models = tuple(spelling for spellings in team.models for spelling in spellings)
    pairs = ((team.name, team.aliases), (f"model of {team.name}", models))
    return [_Rule(name, _names(names), team.weight, team.weight, needs_context=True) for name, names in pairs]


def _needles(phrases: Iterable[str]) -> tuple[_Needle, ...]:
    return tuple(_needle(phrase) for phrase in phrases)


def _names(names: Iterable[str]) -> tuple[_Needle, ...]:
    return tuple(_needle(name, is_name=True) for name in names)
