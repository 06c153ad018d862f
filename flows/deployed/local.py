"""Prefect with everything of seogo on this machine, to try it: against the replica of Naver, without a key.

    python -m flows.deployed.local [--port 4200] [--home .prefect-local]     (make prefect)

Ctrl-C stops all of it. What was crawled stays in the directory.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from flows.deployed.processes import Engine
from flows.deployed.server import READY_WITHIN
from flows.deployed.template import DEPLOYMENTS
from flows.replica.corpus.articles import make_corpus
from flows.replica.corpus.plan import Shares
from flows.replica.pages.search_api import CLIENT_ID, CLIENT_SECRET
from flows.replica.server import Replica
from schemas.errors import BadInput, SeogoError
from schemas.topic import default_topic_path
from storage.archive import open_archive

HOME = Path(".prefect-local")
_KEYS_OF_OTHERS = ("NAVER_APIHUB_KEY_ID", "NAVER_APIHUB_KEY")


@contextmanager
def engine_at(home: Path, *, naver: Replica, port: int = 0, more: Mapping[str, str] | None = None) -> Iterator[Engine]:
    """A server with everything of seogo, and a worker, inside the block. It crawls `naver` into home/archive.

    `more`: environment variables for both.
    """
    engine = Engine(home.resolve(), {**environment_of(home.resolve(), naver.url), **(more or {})}, port=port)
    try:
        # At the same time, because each of them needs seconds to import Prefect.
        with engine.running("flows.deployed.apply", "--wait", f"{READY_WITHIN:.0f}"):
            engine.start_server()
            engine.start_worker()
        yield engine
    finally:
        engine.stop()


def environment_of(home: Path, naver: str) -> dict[str, str]:
    """The variables of a server and a worker that crawl `naver` into home/archive."""
    return {
        "SEOGO_NAVER": naver,
        "SEOGO_TOPIC": str(default_topic_path().with_name("demo.yaml").resolve()),
        "SEOGO_ARCHIVE": str(home / "archive"),
        "NAVER_CLIENT_ID": CLIENT_ID,
        "NAVER_CLIENT_SECRET": CLIENT_SECRET,
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        **dict.fromkeys(_KEYS_OF_OTHERS, ""),
    }


def run_until_interrupted(home: Path, port: int) -> None:
    """Start everything, print where it is, wait for KeyboardInterrupt, stop everything. Raises SeogoError."""
    if not DEPLOYMENTS.is_file():
        raise BadInput(f"{DEPLOYMENTS.resolve()} does not exist: run this in seogo's checkout.")
    home.mkdir(parents=True, exist_ok=True)
    (home / ".gitignore").write_text("*\n", "utf-8")
    _say("starting the replica of Naver, Prefect's server, the deployments and a worker: about 20 seconds ...")
    with open_archive(home.resolve() / "archive"):
        pass  # scheduled runs refuse an archive that does not exist
    naver = Replica(make_corpus(seed=1, last=datetime.now(UTC), shares=Shares(rewritten=0.4)), pace=1.0)
    with naver, engine_at(home, naver=naver, port=port) as engine:
        _say(_where(engine, home))
        try:
            signal.pause()
        finally:
            _say("stopping the worker, then the server ...")


def _where(engine: Engine, home: Path) -> str:
    return (
        f"\nPrefect's UI:   {engine.url}/deployments\n"
        f"Run a crawl:    in the UI, or in another terminal\n"
        f"                PREFECT_API_URL={engine.api} {Path(sys.executable).parent}/prefect deployment run "
        "crawl/crawl-every-15-minutes --watch\n"
        f"The archive:    {home}/archive (seogo status --archive {home}/archive)\n"
        f"Logs:           {home}/server.log, {home}/worker.log\n"
        "Ctrl-C stops all of it.\n"
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.deployed.local", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; default: a free one")
    parser.add_argument("--home", type=Path, default=HOME, help="default: %(default)s")
    chosen = parser.parse_args(arguments)
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, _interrupt)
    try:
        run_until_interrupted(chosen.home, chosen.port)
    except KeyboardInterrupt:
        _say("everything is stopped")
    except SeogoError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _interrupt(number: int, frame: object) -> None:
    """The first signal stops everything; later ones are ignored."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
