"""What the user sets: the topic file, the contact in it, and a stand-in for Naver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.runs.doctor.check import Check, error, ok, warning
from flows.runs.settings import naver_from
from schemas.errors import BadInput, TopicError
from schemas.topic import Topic, load_topic
from schemas.topic.fields import is_placeholder


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run would be ordered with, and the checks of it. `topic` is None if it is not clear whom to ask what."""

    topic: Topic | None
    naver: str | None
    checks: tuple[Check, ...]


def read_settings(file: Path, environment: Mapping[str, str]) -> Settings:
    """The topic and the stand-in for Naver, with what is wrong with either."""
    try:
        topic = load_topic(file)
    except TopicError as fault:
        return Settings(None, None, (error("topic", str(fault), "correct the topic file: docs/topics.md"),))
    found = f"{topic.name} ({file}): {len(topic.sources)} sources, {len(topic.queries)} queries"
    checks = [ok("topic", found), _contact(topic, file, environment)]
    try:
        naver = naver_from(environment) or topic.naver
    except BadInput as fault:
        wrong = error("stand-in", str(fault), "correct SEOGO_NAVER, or unset it to ask Naver itself")
        return Settings(None, None, (*checks, wrong))
    if naver:
        checks.append(ok("stand-in", f"requests go to {naver}, and none to Naver"))
    return Settings(topic, naver, tuple(checks))


def _contact(topic: Topic, file: Path, environment: Mapping[str, str]) -> Check:
    """Naver must be able to reach the operator. The contact itself is not shown."""
    if not is_placeholder(topic.contact):
        return ok("contact", "set")
    if environment.get("SEOGO_NAVER") or topic.naver:
        return ok("contact", "that of the example: enough for a stand-in")
    found = "still that of the example: Naver cannot reach you"
    return warning("contact", found, f"set `contact` in {file} to an e-mail address or URL of yours")
