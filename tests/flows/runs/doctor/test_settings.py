"""Topic file, contact and stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.runs.doctor.check import Level
from flows.runs.doctor.settings import Settings, read_settings
from schemas.topic import default_topic_path
from tests.support.checks import found

STAND_IN = {"SEOGO_NAVER": "http://127.0.0.1:8000/"}


def topic_file(folder: Path, *lines: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text("\n".join([f"extends: {default_topic_path()}", *lines, ""]), "utf-8")
    return path


def own(folder: Path, **environment: str) -> Settings:
    return read_settings(topic_file(folder, "contact: me@archive.kr"), environment)


def test_a_topic_file_with_a_contact_of_ones_own(tmp_path: Path) -> None:
    settings = own(tmp_path)
    assert [(check.name, check.level) for check in settings.checks] == [("topic", Level.OK), ("contact", Level.OK)]
    assert "foundation_model" in settings.checks[0].found
    assert str(tmp_path / "mine.yaml") in settings.checks[0].found
    assert settings.topic is not None
    assert settings.naver is None
    # Checks go into bug reports.
    assert "me@archive.kr" not in repr(settings.checks)


def test_the_topic_file_that_ships_has_the_contact_of_an_example() -> None:
    check = found(read_settings(default_topic_path(), {}).checks, "contact")
    assert check.level is Level.WARNING
    assert f"`contact` in {default_topic_path()}" in check.todo


def test_a_stand_in_does_not_mind_the_contact_of_an_example() -> None:
    settings = read_settings(default_topic_path(), STAND_IN)
    assert found(settings.checks, "contact").level is Level.OK
    assert found(settings.checks, "stand-in").found == "requests go to http://127.0.0.1:8000, and none to Naver"
    assert settings.naver == "http://127.0.0.1:8000"


def test_the_topic_file_may_name_the_stand_in(tmp_path: Path) -> None:
    settings = read_settings(topic_file(tmp_path, "naver: http://127.0.0.1:9"), {})
    assert settings.naver == "http://127.0.0.1:9"
    assert found(settings.checks, "contact").level is Level.OK


def test_each_mistake_in_a_topic_file_is_reported_without_a_request(tmp_path: Path) -> None:
    settings = read_settings(topic_file(tmp_path, "querys: [AI]", "robots: never"), {})
    (check,) = settings.checks
    assert (check.name, check.level, settings.topic) == ("topic", Level.ERROR, None)
    assert "mine.yaml:2: querys: unknown key" in check.found
    assert "mine.yaml:3: robots:" in check.found


def test_a_topic_file_that_is_not_there(tmp_path: Path) -> None:
    settings = read_settings(tmp_path / "none.yaml", {})
    assert found(settings.checks, "topic").level is Level.ERROR
    assert "none.yaml" in found(settings.checks, "topic").found


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "http://me:CANARY@127.0.0.1"])
def test_a_replica_without_a_valid_address_means_no_request(tmp_path: Path, address: str) -> None:
    settings = own(tmp_path, SEOGO_NAVER=address)
    assert found(settings.checks, "stand-in").level is Level.ERROR
    assert settings.topic is None
    assert "CANARY" not in repr(settings.checks)
