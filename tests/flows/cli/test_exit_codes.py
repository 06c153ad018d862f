"""Every error and every ending of a run has an exit code, and docs/exit-codes.md has all of them."""

from __future__ import annotations

import re

from flows.cli.exit_codes import Exit, exit_of_error, exit_of_run
from schemas import errors
from schemas.receipt import ExitReason
from tests.support.paths import ROOT


def test_every_ending_of_a_run_has_a_code() -> None:
    codes = {reason: exit_of_run(reason) for reason in ExitReason}
    assert {reason for reason, code in codes.items() if code == 0} == {ExitReason.DONE, ExitReason.NOTHING_NEW}
    assert Exit.BUG not in codes.values()


def test_every_error_has_a_code() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SeogoError)]
    for kind in set(kinds) - {errors.SeogoError, errors.ParseError}:
        assert exit_of_error(kind.__new__(kind)) not in (Exit.DONE, Exit.BUG), kind


def test_the_documentation_has_every_exit_code() -> None:
    page = (ROOT / "docs" / "exit-codes.md").read_text("utf-8")
    documented = {int(code): name for code, name in re.findall(r"^\| (\d+) \| ([a-z ]+) \|", page, re.MULTILINE)}
    assert documented == {code.value: code.name.lower().replace("_", " ") for code in Exit}
