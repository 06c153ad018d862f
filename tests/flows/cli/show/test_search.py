"""The hits of a search, marked."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from flows.cli.show import search
from storage.search.snippets import Snippet


def test_a_hit_in_a_bold_title_differs_from_the_rest_also_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Console(file=StringIO(), force_terminal=True, color_system="standard", no_color=True)
    monkeypatch.setattr(search, "out", screen)
    printed = screen.render(search._marked(Snippet("새 모델", ((2, 4),)), "bold"))
    styles = {part.text: screen.get_style(part.style or "").without_color for part in printed}
    assert styles["모델"] != styles["새 "]
