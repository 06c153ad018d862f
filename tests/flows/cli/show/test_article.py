"""What is shown of an article."""

from __future__ import annotations

import pytest

from flows.cli.show.article import show_article


def test_each_reason_is_on_a_line_and_a_model_names_its_team(capsys: pytest.CaptureFixture[str]) -> None:
    reasons = ["+4 the project: '독파모' in the body, 2 times", "+0.5 'SKT' in the title"]
    models = [{"team": "업스테이지", "model": "솔라"}, {"team": "SK텔레콤", "model": "A.X K1"}]
    show_article({"id": "001_0000000001", "title": "제목", "reasons": reasons, "models": models})
    shown = capsys.readouterr().out
    assert [line.partition("  ")[2].strip() for line in shown.splitlines()[2:5]] == [
        *reasons,
        "솔라 (업스테이지), A.X K1 (SK텔레콤)",
    ], shown
