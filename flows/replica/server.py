"""The replica of Naver as a server on 127.0.0.1: in a thread for tests, in the foreground for the command line."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from datetime import datetime
from types import FrameType, TracebackType
from typing import Self

from flows.http_server import Server, config, listen
from flows.replica.app import make_app
from flows.replica.clock import Clock
from flows.replica.corpus.articles import LAST, Corpus, make_corpus
from flows.replica.corpus.plan import Shares
from flows.replica.faults import Behaviour, Faults
from flows.replica.log import RequestLog
from flows.replica.pages.search_api import CLIENT_ID, CLIENT_SECRET
from schemas.article import SEOUL
from schemas.errors import BadInput

HOST = "127.0.0.1"
READY_WITHIN = 10.0
STOPPED_WITHIN = 10.0
_CLOSE_WITHIN = 1  # whole seconds that open responses get when the server stops


class Replica:
    """A replica of Naver that runs during a `with` block. Send Naver's host names in the Host header.

    with Replica(make_corpus(seed=1)) as naver:
        naver.behaviour = Behaviour(rates={Fault.SERVER_ERROR: 0.1})
        ...  # SEOGO_NAVER=naver.url
        assert not forbidden_fetches(naver.log.entries)

    Attributes: `url`, `corpus`, `clock`, `behaviour` (can be replaced while it runs), `log`.
    """

    def __init__(
        self,
        corpus: Corpus | None = None,
        *,
        behaviour: Behaviour | None = None,
        now: datetime | None = None,
        pace: float = 0.0,
        port: int = 0,
    ) -> None:
        """`now` is the initial time of the clock (default: the end of the corpus), `pace` its speed."""
        self.corpus = corpus or make_corpus(seed=1)
        self.clock = Clock(now or self.corpus.last, pace=pace)
        self.log = RequestLog()
        self._faults = Faults(behaviour)
        self._port = port
        self._running: tuple[Server, threading.Thread, socket.socket] | None = None

    @property
    def behaviour(self) -> Behaviour:
        return self._faults.behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self._faults.behaviour = behaviour

    @property
    def url(self) -> str:
        """For example `http://127.0.0.1:41234`."""
        return f"http://{HOST}:{self._port}"

    def __enter__(self) -> Self:
        listener = listen(HOST, self._port)
        self._port = listener.getsockname()[1]
        ready = threading.Event()
        app = make_app(self.corpus, self.clock, self._faults, self.log)
        # Truncated responses are intended: they are not logged as errors.
        settings = config(app, close_within=_CLOSE_WITHIN, lifespan="off", log_config=None, log_level="critical")
        server = Server(settings, ready.set)
        thread = threading.Thread(target=server.run, args=([listener],), name="replica", daemon=True)
        thread.start()
        self._running = (server, thread, listener)
        if not ready.wait(READY_WITHIN):
            raise RuntimeError(f"the replica did not start on {self.url} within {READY_WITHIN:.0f} s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running is None:
            return
        server, thread, listener = self._running
        server.should_exit = True
        thread.join(STOPPED_WITHIN)
        listener.close()
        self._running = None


def serve(
    *,
    port: int = 0,
    seed: int = 1,
    articles: int = 2_000,
    presses: int = 30,
    days: int = 60,
    rewritten: float = 0.0,
    last: datetime | None = None,
    now: datetime | None = None,
    pace: float = 0.0,
    behaviour: Behaviour | None = None,
) -> None:
    """Run the replica until SIGINT or SIGTERM; prints one line with its address when it is ready. Main thread only.

    `rewritten` is the share of the articles that other publishers rewrite, `last` the end of the corpus (default: that
    of make_corpus), `now` the initial time of the clock (default: `last`). Raises BadInput if the port is in use or the
    corpus cannot be generated with these values.
    """
    try:
        corpus = make_corpus(
            seed, articles=articles, presses=presses, days=days, last=last or LAST, shares=Shares(rewritten=rewritten)
        )
        replica = Replica(corpus, behaviour=behaviour, now=now, pace=pace, port=port)
    except ValueError as error:
        raise BadInput(f"the replica cannot be created: {error}") from error
    with _until_signal() as stopped, replica:
        sys.stdout.write(f"{_announcement(replica)}\n")
        sys.stdout.flush()
        stopped.wait()


def _announcement(replica: Replica) -> str:
    hosted = sum(slot.number >= 0 for slot in replica.corpus.slots)
    return (
        f"replica: {replica.url} seed {replica.corpus.seed}, {hosted} articles to "
        f"{replica.corpus.last.astimezone(SEOUL):%Y-%m-%d %H:%M} (+09:00), key {CLIENT_ID} {CLIENT_SECRET}"
    )


class _until_signal:  # noqa: N801  used like a function
    """Within the block, SIGINT and SIGTERM set the event instead of ending the process."""

    def __enter__(self) -> threading.Event:
        self._stopped = threading.Event()
        self._before = {one: signal.signal(one, self._stop) for one in (signal.SIGINT, signal.SIGTERM)}
        return self._stopped

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopped.set()
