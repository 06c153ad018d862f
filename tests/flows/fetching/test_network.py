"""Whether there is a network: one host that accepts a connection is enough, and a resolver that hangs costs little."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from flows.fetching.hosts import Routing
from flows.fetching.network import Address, offline_reason

CLOSED = ("127.0.0.1", 9)
UNKNOWN = ("n.news.naver.invalid", 443)


@pytest.fixture
def listening() -> Iterator[Address]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[:2]


def test_a_host_that_accepts_a_connection_is_enough(listening: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    assert offline_reason(CLOSED, [UNKNOWN, listening], 8.0) == ""
    with monkeypatch.context() as patch:
        patch.setattr("flows.fetching.network._start", _only(listening, patch))
        assert offline_reason(listening, [UNKNOWN], 8.0) == ""  # the others are not even tried


def _only(wanted: Address, patch: pytest.MonkeyPatch) -> object:
    from flows.fetching import network

    start = network._start

    def started(addresses: list[Address], *rest: object) -> int:
        assert addresses == [wanted]
        return start(addresses, *rest)  # type: ignore[arg-type]

    return started


def test_where_none_does_the_first_host_s_reason_is_given() -> None:
    assert offline_reason(CLOSED, [UNKNOWN], 8.0) == "127.0.0.1: Connection refused"
    assert offline_reason(UNKNOWN, [CLOSED], 8.0).startswith("n.news.naver.invalid: ")


def test_a_resolver_that_hangs_is_not_waited_for(listening: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    resolve = socket.getaddrinfo

    def hanging(host: str, *rest: object, **more: object) -> object:
        if host != listening[0]:
            over.wait()
        return resolve(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("flows.fetching.network._HEAD_START", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    assert offline_reason(UNKNOWN, [("also.invalid", 443)], 0.2) == f"{UNKNOWN[0]}: no connection within 0.2 s"
    assert offline_reason(UNKNOWN, [listening], 30.0) == ""
    over.set()


def test_all_hosts_are_tried_or_the_stand_in_alone() -> None:
    hosts = ("search.naver.com", "n.news.naver.com")
    real = Routing(hosts, None)
    assert real.connections(real.check("https://n.news.naver.com/a")) == (
        ("n.news.naver.com", 443), [("search.naver.com", 443)]
    )  # fmt: skip
    standin = Routing(hosts, "http://127.0.0.1:8080")
    assert standin.connections(standin.check("https://n.news.naver.com/a")) == (("127.0.0.1", 8080), [])
