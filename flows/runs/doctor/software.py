"""Python and the libraries, held against what this seogo requires."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from flows.runs.doctor.check import Check, error, ok

_NAMED = ("duckdb", "httpx", "prefect", "pyarrow", "selectolax")
"""Packages whose versions are always reported."""

_INSTALL = "install what seogo requires: make .venv/.installed in a checkout, else pip install with seogo's wheel"


def software_checks() -> Iterator[Check]:
    """Python, then the libraries."""
    yield python_check(metadata("seogo")["Requires-Python"] or "", platform.python_version())
    yield library_check(requires("seogo") or [])


def python_check(required: str, running: str) -> Check:
    """Whether the Python version is one that seogo runs on."""
    found = f"seogo {version('seogo')} on Python {running}, {platform.system()} {platform.machine()}"
    if SpecifierSet(required).contains(running, prereleases=True):
        return ok("python", found)
    return error("python", f"{found}: it requires Python {required}", f"use Python {required}")


def library_check(required: Sequence[str], version_of: Callable[[str], str] = version) -> Check:
    """Whether each required library is installed, in a version that is allowed."""
    needed = [one for one in map(Requirement, required) if one.marker is None or one.marker.evaluate()]
    wrong = [fault for one in needed if (fault := _fault(one, version_of))]
    if wrong:
        return error("libraries", "; ".join(wrong), _INSTALL)
    named = ", ".join(f"{one.name} {version_of(one.name)}" for one in needed if one.name in _NAMED)
    return ok("libraries", f"{len(needed)} as required: {named}")


def _fault(required: Requirement, version_of: Callable[[str], str]) -> str | None:
    try:
        installed = version_of(required.name)
    except PackageNotFoundError:
        return f"{required.name} is missing"
    if required.specifier.contains(installed, prereleases=True):
        return None
    return f"{required.name} {installed} is installed, required is {required.specifier}"
