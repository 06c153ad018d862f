"""The charts of the page as Vega-Lite specifications. Pure. The page adds the colours of text and axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from schemas.article import Outcome

Row = Mapping[str, Any]
Spec = dict[str, Any]

OUTCOMES = {
    Outcome.NEW: "#2e9e6b",
    Outcome.EDITED: "#3b8ed0",
    Outcome.DUPLICATE: "#8fa8c8",
    Outcome.LISTED: "#b8a24a",
    Outcome.OFF_TOPIC: "#9a9a9a",
    Outcome.GONE: "#a06ab4",
    Outcome.DEFERRED: "#d9a441",
    Outcome.FAILED: "#d0563b",
    Outcome.BLOCKED: "#8b1e1e",
}
"""The outcomes that are shown, with colours that are readable on light and on dark."""

_TEAMS = ("#3b8ed0", "#e08a3c", "#2e9e6b", "#c0569b", "#8a73d0", "#c9b23f", "#5fb0b7", "#a5714b", "#7f8c8d", "#d0563b")


def daily(rows: Sequence[Row], days: Sequence[date]) -> Spec:
    """Articles per day by outcome, as stacked bars. Rows: day, outcome, articles."""
    shown = [row for row in rows if row["outcome"] in OUTCOMES]
    present = [outcome for outcome in OUTCOMES if any(row["outcome"] == outcome for row in shown)]
    colours = {"domain": [one.value for one in present], "range": [OUTCOMES[one] for one in present]}
    order = {outcome.value: number for number, outcome in enumerate(present)}
    values = [{**row, "order": order[row["outcome"]]} for row in shown]
    return _spec(
        values,
        mark={"type": "bar", "tooltip": True},
        encoding={
            "x": _days(days),
            "y": {"field": "articles", "type": "quantitative", "title": None, "axis": {"tickMinStep": 1}},
            "color": {"field": "outcome", "type": "nominal", "scale": colours, "legend": _LEGEND},
            "order": {"field": "order", "type": "quantitative"},
        },
    )


def voices(rows: Sequence[Row]) -> Spec:
    """The teams' shares of all mentions over time, as bars of one height. Rows: period (a date), team, articles."""
    teams = list(dict.fromkeys(row["team"] for row in rows))
    colours = {"domain": teams, "range": [_TEAMS[number % len(_TEAMS)] for number in range(len(teams))]}
    return _spec(
        [{**row, "period": row["period"].isoformat()} for row in rows],
        mark={"type": "bar", "tooltip": True},
        encoding={
            "x": {"field": "period", "type": "ordinal", "title": None, "axis": _SPARSE},
            "y": {
                "field": "articles",
                "type": "quantitative",
                "stack": "normalize",
                "title": None,
                "axis": {"format": "%"},
            },
            "color": {"field": "team", "type": "nominal", "scale": colours, "sort": teams, "legend": _LEGEND},
        },
    )


def publishers(rows: Sequence[Row]) -> Spec:
    """Articles by publisher, as bars, the longest on top. Rows: publisher, articles."""
    return _spec(
        rows,
        mark={"type": "bar", "tooltip": True, "color": _TEAMS[0]},
        encoding={
            "y": {"field": "publisher", "type": "nominal", "sort": "-x", "title": None},
            "x": {"field": "articles", "type": "quantitative", "title": None, "axis": {"tickMinStep": 1}},
        },
        height=20 * max(len(rows), 1),
    )


_LEGEND = {"title": None, "orient": "bottom", "columns": 4}
_SPARSE = {"labelAngle": 0, "labelOverlap": True}


def _days(days: Sequence[date]) -> Spec:
    # A day on which nothing was found has its place, too.
    return {
        "field": "day",
        "type": "ordinal",
        "scale": {"domain": [day.isoformat() for day in days]},
        "title": None,
        "axis": _SPARSE,
    }


def _spec(values: Sequence[Row], **given: Any) -> Spec:
    space = {"width": "container", "height": 220, "autosize": {"type": "fit-x", "contains": "padding"}}
    return {**space, "data": {"values": list(values)}, **given}
