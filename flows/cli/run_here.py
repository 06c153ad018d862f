"""What commands share: a run with progress and Ctrl-C, and a result with its exit code."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

import typer

from flows.cli.exit_codes import Exit, ExitStatus, exit_of_run

if TYPE_CHECKING:
    from flows.pipeline.stop import Stop
    from flows.runs.lifecycle import Order
    from schemas.receipt import Receipt
    from schemas.topic import Topic

T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)


class PlainRun(Protocol):
    """An asynchronous run without its order, such as `partial(crawl, order)`."""

    def __call__(self, *, stop: Stop, on_progress: Callable[[Receipt], None]) -> Coroutine[Any, Any, Receipt]: ...


class BlockingRun(Protocol[R_co]):
    """The same for a synchronous run, such as `partial(import_files, order)`."""

    def __call__(self, *, on_progress: Callable[[Receipt], None], stopped: Callable[[], bool]) -> R_co: ...


def run_here(name: str, run: PlainRun) -> Receipt:
    """Run with progress in the terminal. Ctrl-C stops the run after it has stored what it fetched."""
    from flows.cli.show.progress import progress

    with progress(name) as report:
        return stoppable(partial(run, on_progress=report))


def stoppable(run: Callable[..., Coroutine[Any, Any, T]]) -> T:
    """Run until Ctrl-C asks it to `stop`; then it stores what it fetched."""
    import asyncio

    from flows.cli.signals import on_interrupt
    from flows.pipeline.stop import Stop

    async def until_interrupted() -> T:
        stop, loop = Stop(), asyncio.get_running_loop()

        def request_stop() -> None:
            print("seogo: stopping after what was fetched is stored. Interrupt again to stop now.", file=sys.stderr)  # noqa: T201
            stop.request(by_hand=True)

        with on_interrupt(partial(loop.call_soon_threadsafe, request_stop)):
            return await run(stop=stop)

    return asyncio.run(until_interrupted())


def run_blocking(name: str, run: BlockingRun[T]) -> T:
    """The same for a synchronous run, which looks at `stopped` between two batches."""
    from flows.cli.show.progress import progress
    from flows.cli.signals import on_interrupt

    stop = threading.Event()
    with on_interrupt(stop.set), progress(name) as report:
        return run(on_progress=report, stopped=stop.is_set)


def warn_of(topic: Topic, naver: str | None) -> None:
    """Warn of what should be set before requests go to the real Naver."""
    from flows.runs.settings import topic_warnings

    for warning in [] if naver or topic.naver else topic_warnings(topic):
        print(f"seogo: warning: {warning}", file=sys.stderr)  # noqa: T201


def end(receipt: Receipt, order: Order, *, as_json: bool) -> NoReturn:
    """Send what changed to the webhooks, print the receipt of the run, and exit with the code for its end."""
    if order.topic.webhooks:
        from flows.cli.send_changes import send_changes

        send_changes(order.topic, order.archive)
    code = exit_of_run(receipt.exit_reason)
    finish(receipt, _show, as_json=as_json, code=code, to_json=lambda it: it.as_json())


def _show(receipt: Receipt) -> None:
    from flows.cli.show.run import show_receipt

    show_receipt(receipt)


def finish(
    result: T,
    show: Callable[[T], None],
    *,
    as_json: bool,
    code: Exit = Exit.DONE,
    to_json: Callable[[T], Any] = lambda it: it,
) -> NoReturn:
    """Print a result, by `show` or as JSON (`to_json` of it), and exit with `code`."""
    from flows.cli.show.values import print_json

    ExitStatus.code = code
    print_json(to_json(result)) if as_json else show(result)
    raise typer.Exit(code)
