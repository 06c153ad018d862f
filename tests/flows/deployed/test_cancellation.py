"""A run that asks the server itself whether it is cancelled, without a server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.client.schemas.objects import State
from prefect.logging import disable_run_logger
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled, Cancelling, Running

from flows.deployed.flow_runs import cancellation, states
from flows.deployed.flow_runs.execution import RunBridge, in_thread
from flows.pipeline.stop import Stop

Answer = State[Any] | httpx.HTTPError | None
RUN = uuid4()


class Server:
    """Gives its answers to the question for the run's state, one by one; None while it is away."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[UUID] = []
        self.state: Any = None

    def is_ready(self, _: str) -> bool:
        return self.answers[0] is not None or bool(self.answers.pop(0))

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass

    async def read_flow_run(self, id_: UUID) -> Server:
        self.asked.append(id_)
        self.state = self.answers.pop(0)
        if isinstance(self.state, httpx.HTTPError):
            raise self.state
        return self


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[[Server], None]:
    """Let runs ask this server, without pauses."""

    def put(server: Server) -> None:
        monkeypatch.setattr(cancellation, "is_ready", server.is_ready)
        monkeypatch.setattr(cancellation, "get_client", lambda: server)
        monkeypatch.setattr(cancellation, "ASKED_EVERY", 0.0)
        monkeypatch.setattr(cancellation, "get_run_logger", lambda: logging.getLogger("run"))
        monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__ID", str(RUN))

    return put


def work(bridge: RunBridge) -> bool:
    """What a run does: it works until it is asked to stop. Returns whether a person asked."""

    async def plain(stop: Stop) -> bool:
        while not stop.requested:  # noqa: ASYNC110 - as a fetch does between two answers
            await asyncio.sleep(0.01)
        return stop.by_hand

    return bridge.run(plain)


@pytest.mark.parametrize("last", [Cancelling(), Cancelled()])
def test_a_cancelled_run_ends_by_itself_once_the_server_is_back(
    ask: Callable[[Server], None], caplog: pytest.LogCaptureFixture, last: State[Any]
) -> None:
    server = Server(None, Running(), None, httpx.ReadTimeout("too slow"), Running(), last)
    ask(server)
    bridge, ended = RunBridge(), []

    async def run() -> None:
        await in_thread(lambda: ended.append(work(bridge)), bridge)

    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        disable_run_logger(),
        pytest.raises(cancellation.RunCancelled) as caught,
    ):
        asyncio.run(run())
    assert ended == [True]
    assert server.asked == [RUN] * 4
    assert server.answers == []
    assert "the state of this run could not be read (too slow)" in caplog.text
    state = states.of_error(caught.value)
    assert (state.is_cancelled(), state.name) == (True, "Cancelled")


def test_a_run_that_is_not_cancelled_ends_with_its_result(ask: Callable[[Server], None]) -> None:
    ask(Server(*[Running()] * 1000))
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}), disable_run_logger():
        assert asyncio.run(in_thread(lambda: "done")) == "done"
