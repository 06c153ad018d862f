"""Findings: which is the worst, and what must not be in them."""

from __future__ import annotations

import pytest

from flows.runs.doctor.check import Level, error, ok, warning, without, worst
from flows.runs.doctor.secrets import secrets_of

OK, WARNING, ERROR = ok("a", "good"), warning("b", "so so", "wait"), error("c", "bad", "act")


@pytest.mark.parametrize(
    ("checks", "level"),
    [
        ([], Level.OK),
        ([OK, OK], Level.OK),
        ([OK, WARNING, OK], Level.WARNING),
        ([ERROR, WARNING, OK], Level.ERROR),
        ([WARNING, OK, ERROR], Level.ERROR),
    ],
)
def test_the_worst_level_counts(checks: list[object], level: Level) -> None:
    assert worst(checks) is level  # type: ignore[arg-type]


def test_a_secret_of_the_environment_is_taken_out_of_every_text() -> None:
    environment = {
        "NAVER_APIHUB_KEY": " CANARYone\n",
        "NAVER_CLIENT_ID": "CANARY",  # a part of another: the longer one goes first
        "PREFECT_API_AUTH_STRING": "admin:CANARYtwo",
        "PREFECT_API_KEY": "pnu_CANARYthree",
        "PREFECT_API_URL": "http://me:CANARYfour@127.0.0.1:4200/api",
        "SEOGO_TOPIC": "my_topic.yaml",
        "NAVER_CLIENT_SECRET": "abc",
    }
    said = "canaryone, CANARYtwo of admin:CANARYtwo; pnu_canaryTHREE (CANARYfour) my_topic.yaml abc"
    masked = without(error("key", said, said), secrets_of(environment))
    assert masked.found == masked.todo == "***, *** of ***; *** (***) my_topic.yaml abc"


def test_without_secrets_a_text_stays_as_it_is() -> None:
    assert without(WARNING, secrets_of({"PATH": "/usr/bin", "NAVER_APIHUB_KEY": ""})) == WARNING
