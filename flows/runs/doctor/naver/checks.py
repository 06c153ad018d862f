"""Sends requests to Naver at the pace of the topic file and as robots.txt allows: about a dozen.

    names | robots.txt of each host | each key | one page of each source | one article

Each request is tried once, with a short timeout: without a network, everything ends within about ten seconds.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from flows.fetching.client import Client
from flows.naver.urls import NAVER_HOSTS
from flows.runs.doctor.archive import damage
from flows.runs.doctor.check import Check, error
from flows.runs.doctor.naver import faults
from flows.runs.doctor.naver.article import HOST, read_one_article
from flows.runs.doctor.naver.clock import newest_date
from flows.runs.doctor.naver.keys import try_keys
from flows.runs.doctor.naver.robots import none_answers, purposes_of, robots_check
from flows.runs.doctor.naver.sources import all_unread, read_sources
from flows.runs.pipeline_run import API_HOSTS
from schemas.article import SEOUL
from schemas.page import RequestRecord
from schemas.topic import Limits, Topic
from storage.layout import BACKOFF
from storage.state.backoff import JsonBackoffStore

RESOLVED_WITHIN = 5.0
_AT_MOST = {
    "connect_timeout_seconds": 5.0,
    "read_timeout_seconds": 6.0,
    "total_timeout_seconds": 15.0,
    "patience_seconds": 5.0,
}
"""Seconds; less where the topic file says so."""


@dataclass(frozen=True, slots=True)
class NaverSeen:
    """The checks that need the network, and the time of Naver's servers, if one was seen."""

    checks: tuple[Check, ...]
    time: datetime | None = None


def check_naver(topic: Topic, naver: str | None, archive: Path, environment: Mapping[str, str]) -> NaverSeen:
    """All checks that need the network. `naver`: a stand-in that is asked instead."""
    host = urlsplit(naver).hostname if naver else HOST
    if (fault := _unresolved(host or "")) is not None:
        return _no_network(fault)
    return asyncio.run(_check(topic, naver, archive, environment))


def _unresolved(host: str) -> str | None:
    """Why a host's name leads to no address; None if it does.

    In a thread that nobody waits for: asyncio would wait for the resolver's own patience, which may be minutes.
    """
    answers: list[str | None] = []

    def resolve() -> None:
        try:
            socket.getaddrinfo(host, None)
            answers.append(None)
        except OSError as fault:
            answers.append(f"the name {host} cannot be resolved: {fault.strerror}")

    thread = threading.Thread(target=resolve, daemon=True)
    thread.start()
    thread.join(RESOLVED_WITHIN)
    return answers[0] if answers else f"the name {host} is not resolved within {RESOLVED_WITHIN:g} s"


def _no_network(fault: str) -> NaverSeen:
    found = f"{fault}. robots.txt, keys, sources and an article were not tried"
    return NaverSeen((error("network", found, "check network, DNS and firewall, and SEOGO_NAVER if it is set"),))


async def _check(topic: Topic, naver: str | None, archive: Path, environment: Mapping[str, str]) -> NaverSeen:
    async with _client(topic, naver, archive) as client:
        purposes = purposes_of(topic)
        rules = await asyncio.gather(*map(client.rules, purposes))
        if (fault := none_answers(rules)) is not None:
            return _no_network(f"no host answers: {faults.said(fault)}")
        robots = [robots_check(*asked, one, topic) for asked, one in zip(purposes.items(), rules, strict=True)]
        keys = await try_keys(topic, environment, client)
        sources = await read_sources(topic, keys, client, datetime.now(SEOUL).date())
        article = await read_one_article([ref for source in sources for ref in source.refs], client)
    read = [key.check for key in keys.values()] + [source.check for source in sources]
    time = newest_date(text.date for text in client.robots.values())
    return NaverSeen((*robots, *read, *all_unread(sources), article), time)


def _client(topic: Topic, naver: str | None, archive: Path) -> Client:
    return Client(
        limits=_short(topic.limits),
        user_agent_contact=topic.contact,
        obey_robots=topic.robots == "obey",
        naver=naver,
        allowed_hosts=NAVER_HOSTS,
        robots_exempt_hosts=API_HOSTS,
        backoff=_Pauses(archive / BACKOFF),
        record=_ignored,
    )


def _short(limits: Limits) -> Limits:
    shorter = {name: min(seconds, getattr(limits, name)) for name, seconds in _AT_MOST.items()}
    return limits.model_copy(update={"tries": 1, **shorter})


def _ignored(request: RequestRecord) -> None:
    """Requests are stored with a run. These belong to none."""


class _Pauses:
    """The pauses that hosts asked earlier runs for: kept to, and not added to, as the archive is only read."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def load(self) -> dict[str, datetime]:
        return {} if damage(self._file) else JsonBackoffStore(self._file).load()

    def save(self, host: str, until: datetime) -> None:
        """Not to the archive. The client remembers it as long as it lives."""
