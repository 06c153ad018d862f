"""Python and the libraries: those that are installed here are right, others are not."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from flows.runs.doctor.check import Level
from flows.runs.doctor.software import library_check, python_check, software_checks
from tests.support.checks import found

INSTALLED = {"duckdb": "2.0.1", "httpx": "0.28.1", "prefect": "3.9.1"}
REQUIRED = ["duckdb<2.1,>=2.0", "httpx[http2]<0.29,>=0.28", "prefect<4,>=3.8.8", 'tomli>=2; python_version < "3"']


def version_of(name: str, **changed: str) -> str:
    try:
        return {**INSTALLED, **changed}[name]
    except KeyError:
        raise PackageNotFoundError(name) from None


def test_what_is_installed_here_is_what_is_required() -> None:
    checks = list(software_checks())
    assert f"seogo {version('seogo')} on Python 3." in found(checks, "python").found
    assert f"duckdb {version('duckdb')}, httpx {version('httpx')}" in found(checks, "libraries").found
    assert {check.level for check in checks} == {Level.OK}


def test_a_python_that_is_too_old() -> None:
    check = python_check(">=3.11", "3.10.14")
    assert (check.level, check.todo) == (Level.ERROR, "use Python >=3.11")
    assert "Python 3.10.14" in check.found


def test_a_prerelease_of_a_later_python_will_do() -> None:
    assert python_check(">=3.11", "3.15.0rc1").level is Level.OK


def test_a_library_that_is_not_needed_here_may_be_missing() -> None:
    check = library_check(REQUIRED, version_of)
    assert (check.level, check.found) == (Level.OK, "3 as required: duckdb 2.0.1, httpx 0.28.1, prefect 3.9.1")


def test_each_library_that_is_missing_or_of_a_wrong_version_is_named() -> None:
    check = library_check([*REQUIRED, "protego<1"], lambda name: version_of(name, duckdb="2.1.0", prefect="3.8.7"))
    assert check.level is Level.ERROR
    assert check.found == (
        "duckdb 2.1.0 is installed, required is <2.1,>=2.0; prefect 3.8.7 is installed, required is <4,>=3.8.8; "
        "protego is missing"
    )
    assert "make .venv/.installed" in check.todo
