"""Scores how relevant an article is to the topic. Pure: text in, a score with its reasons out.

How a phrase is found, ignoring case:

- White space, hyphens and quotation marks in the phrase match any run of these, including none: `독자 AI 모델` is in
  `독자AI모델` and in `‘독자 AI’ 모델`, `K-엑사원` is in `K엑사원`.
- A Latin letter at either end of the phrase must not be next to another letter, nor a digit next to another digit:
  `SKT` is in `SKT는`, but not in `DESKTOP`. Hangul in a rule's phrase may be next to anything: `독파모` is in
  `독파모용`.
- A team's alias and a model's name must not be part of a longer word, and only particles may follow them directly:
  `솔라` is in `솔라는`, but not in `솔라시도`.
- A phrase counts once in the title and once in the body, however often it occurs. Since news states its subject in the
  title or the lead, a rule can weigh less if its phrases occur only after the lead.

A topic is compiled once. Each phrase is first searched as a substring of the text without white space, which excludes
nearly all of them; only the rest are matched by a regular expression, for their ends and spaces. The time is linear in
the length of the text.
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
"""The version of how phrases are found. Increase it when the same topic file may give another score."""

LEAD = 300
"""The length of the lead: the characters at the start of a body in which news states its subject."""

_MARKS = "-‐‑'\"‘’“”"
"""The characters that count as white space."""

_LETTERS = "[a-zß-öø-ɏ]"
_HANGUL = "[가-힣]"
_BOTH: tuple[Where, ...] = ("title", "body")

# What follows a noun without a space: 솔라+에서+도, 솔라+만+으로+는, 솔라+이라고+도, 솔라+였다. Excluded are a bare 나
# (or), because 솔라나 is a coin, and ungrammatical orders: 솔라도로 is a road, 솔라지도 a map.
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
    """A reason for a score: a rule found a phrase in a place, `count` times. Its weight counts once.

    `in_passing`: only after the lead, where this rule weighs less.
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
    """A digest (16 hex digits) of everything that scores, teams and models depend on."""
    rules = topic.model_dump_json(include={"relevance", "teams"})
    return hashlib.sha256(f"{MATCHING}\n{rules}".encode()).hexdigest()[:16]


class Mention(NamedTuple):
    """A team that an article mentions, and the models mentioned, each in the first spelling of the topic file."""

    team: str
    models: tuple[str, ...]


def mentions(title: str, body: str, teams: tuple[Team, ...]) -> tuple[Mention, ...]:
    """The teams that an on-topic article mentions, by an alias or by a model, in the order of the topic file.

    The topic's context words are not required here: in an article that is off topic, 솔라 may be solar energy.
    """
    texts = (_prepare(title), _prepare(body))
    found = []
    for team in _compiled_teams(teams):
        models = _models_in(team, texts)
        if models or _any_in(team.aliases, texts):
            found.append(Mention(team.name, models))
    return tuple(found)


class _Text(NamedTuple):
    """A text to be searched: NFC and case-folded, with white space and without."""

    spaced: str
    compact: str


@lru_cache(maxsize=4)  # score and mentions prepare the same title and body
def _prepare(text: str) -> _Text:
    spaced = nfc(text).casefold()
    for mark in _MARKS:
        spaced = spaced.replace(mark, " ")
    return _Text(spaced, "".join(spaced.split()))


@dataclass(frozen=True, slots=True)
class _Needle:
    """A phrase to search for. `takes_particles`: it must end a word, except for particles."""

    phrase: str
    compact: str
    pattern: re.Pattern[str]
    takes_particles: bool = False

    def spans(self, text: _Text) -> Iterator[tuple[int, int]]:
        """Where the phrase occurs in the text with white space."""
        for match in self.pattern.finditer(text.spaced):
            if not self.takes_particles or _WORD_ENDS.match(text.spaced, match.end()):
                yield match.span()

    def count(self, text: _Text) -> int:
        """How often the phrase occurs in the text."""
        return sum(1 for _ in self.spans(text))

    def is_in_lead(self, text: _Text) -> bool:
        """Whether the phrase begins in the lead."""
        return any(start < LEAD for start, _ in islice(self.spans(text), 1))


def _candidates(needles: Iterable[_Needle], text: _Text) -> list[_Needle]:
    """The needles whose letters occur in the text: only these need the regular expression."""
    compact = text.compact
    return [needle for needle in needles if needle.compact in compact]


def _any_in(needles: Iterable[_Needle], texts: Collection[_Text]) -> bool:
    """Whether one of the phrases occurs in one of the texts."""
    return any(needle.count(text) for text in texts for needle in _candidates(needles, text))


def _needle(phrase: str, *, is_name: bool = False) -> _Needle:
    words = _prepare(phrase).spaced.split()
    compact = "".join(words)
    before, after = (_neighbours(compact[at], is_name=is_name) for at in (0, -1))
    pattern = r"\s*+".join(map(re.escape, words))
    if before:
        # The look-behind is after the first letter, so that `re` can jump from one such letter to the next.
        first = re.escape(compact[0])
        pattern = f"{first}(?<!{before}{first}){pattern.removeprefix(first)}"
    if after and after != _HANGUL:
        pattern += f"(?!{after})"
    return _Needle(phrase, compact, re.compile(pattern), takes_particles=after == _HANGUL)


def _neighbours(character: str, *, is_name: bool) -> str:
    """The characters (a class of `re`) that must not be next to this one at an end of the phrase."""
    if character.isdecimal():
        return r"\d"
    classes = (_LETTERS, _HANGUL) if is_name else (_LETTERS,)
    return next((each for each in classes if re.match(each, character)), "")


@dataclass(frozen=True, slots=True)
class _Rule:
    """Needles with the same meaning, and the weight of one of them in each place."""

    name: str
    needles: tuple[_Needle, ...]
    weight: float
    in_passing: float
    places: tuple[Where, ...] = _BOTH
    needs_context: bool = False
    veto: bool = False

    def reasons(self, texts: dict[Where, _Text]) -> list[Reason]:
        """The reasons, at most one per place."""
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
    """The names of a team, and each spelling of a model with the model's first spelling."""

    name: str
    aliases: tuple[_Needle, ...]
    spellings: tuple[_Needle, ...]
    models: dict[str, str]


def _models_in(team: _TeamNames, texts: Collection[_Text]) -> tuple[str, ...]:
    """The models that occur in the texts, in the order of the topic file. A name within a longer one does not count."""
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
