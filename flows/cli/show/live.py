"""The progress of a run, live in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from flows.cli.show.meter import Meter
from flows.cli.show.terminal import COLOURS, err


@contextmanager
def shown_live(what: str, meter: Meter) -> Iterator[None]:
    """Show the progress of `meter` inside the block, in up to three lines."""
    with Live(console=err, refresh_per_second=4, transient=True, get_renderable=lambda: _view(what, meter)):
        yield


def _view(what: str, meter: Meter) -> RenderableType:
    state, counted, traffic = meter.parts()
    outcomes = Text("  ").join(
        Text(f"{outcome.value} {number}", style=COLOURS.get(outcome, "dim"))
        for outcome, number in counted.items()
        if number
    )
    lines = [Text.assemble((what, "bold"), f"  {state}"), outcomes, Text(traffic, style="dim")]
    return Group(*(line for line in lines if line))
