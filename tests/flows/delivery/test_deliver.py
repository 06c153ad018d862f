"""Changes to webhooks: order, repetitions, back-off, dead letters, a kill in the middle."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.delivery.deliver import MOST_REFUSALS, Delivered, DeliveryOrder, after, deliver, retry
from flows.delivery.posting import Answer, Verdict
from schemas.errors import ArchiveBusy, StorageFault
from schemas.topic import Webhook
from storage.state import deliveries
from storage.state.deliveries import Delivery
from tests.support.archives import rows
from tests.support.command import ending, seogo, start
from tests.support.histories.analyst import make
from tests.support.servers.prefect import until
from tests.support.servers.receiver import SECRET, VARIABLE, Receiver, topic_with_webhook

NOW = datetime(2026, 2, 1, tzinfo=UTC)
SECRETS = {VARIABLE: SECRET}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("made") / "archive")


@pytest.fixture
def archive(made: Path) -> Iterator[Path]:
    """The archive, of which no webhook has received anything, not even the older runs."""
    deliveries.save(made, {"판": Delivery(0)})
    yield made
    (made / "state" / "webhooks.json").unlink()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def webhook(receiver: Receiver, **changes: Any) -> Webhook:
    return Webhook(**{"name": "판", "url": receiver.url, "secret": VARIABLE, **changes})


def send(archive: Path, *webhooks: Webhook, later: timedelta = timedelta(0), **changes: Any) -> list[Delivered]:
    order = DeliveryOrder(archive, webhooks, SECRETS, now=lambda: NOW + later)
    return asyncio.run(deliver(replace(order, **changes)))


def feed(archive: Path, where: str = "TRUE") -> list[str]:
    return [str(seq) for (seq,) in rows(archive, f"SELECT seq FROM events WHERE {where} ORDER BY seq")]


def test_every_change_in_order_signed_and_once(archive: Path, receiver: Receiver) -> None:
    (done,) = send(archive, webhook(receiver))
    assert receiver.ids == feed(archive)
    assert len(receiver.ids) > 10
    assert (done.sent, done.left, done.is_well) == (len(receiver.ids), 0, True)
    assert done.explanation.endswith(f": {done.sent} changes sent, nothing left to send")
    send(archive, webhook(receiver))
    assert receiver.ids == feed(archive)


def test_a_message_is_the_change_of_the_export(archive: Path, receiver: Receiver) -> None:
    send(archive, webhook(receiver))
    exported = [
        json.loads(line)
        for line in seogo("export", "--since", "0", "--format", "jsonl", "--archive", archive).out.splitlines()
    ]
    assert [message["data"] for message in receiver.accepted.values()] == exported
    first = receiver.accepted[receiver.ids[0]]
    assert first["type"] == "article.inserted"
    assert first["timestamp"] == first["data"]["changed_at"]
    assert first["timestamp"].endswith("+09:00")


def test_only_the_kinds_and_teams_that_are_asked_for(archive: Path, receiver: Receiver) -> None:
    (done,) = send(archive, webhook(receiver, kinds=("gone", "edited"), teams=("나래",)))
    assert receiver.ids == feed(archive, "kind IN ('gone', 'edited') AND id = '001_0000000006'")
    assert {message["type"] for message in receiver.accepted.values()} == {"article.gone", "article.edited"}
    assert done.left == 0


def test_a_new_webhook_begins_with_the_newest_run(made: Path, receiver: Receiver) -> None:
    send(made, webhook(receiver, name="새"))
    (made / "state" / "webhooks.json").unlink()
    assert receiver.ids == feed(made, "run_id = (SELECT run_id FROM events ORDER BY seq DESC LIMIT 1)")
    assert len(receiver.ids) < len(feed(made))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_receiver_that_is_away_gets_everything_when_it_is_back(archive: Path) -> None:
    port = free_port()
    away = Webhook(name="판", url=f"http://127.0.0.1:{port}/", secret=VARIABLE)
    (done,) = send(archive, away)
    assert (done.sent, done.left, done.delivery.fault) == (0, len(feed(archive)), "no connection")
    assert done.delivery.retry_at == NOW + timedelta(seconds=30)
    assert done.explanation.endswith(", no connection since 2026-02-01 09:00; next try 09:00")
    with Receiver(port) as receiver:
        send(archive, away, later=timedelta(seconds=29))
        assert receiver.ids == []
        (done,) = send(archive, away, later=timedelta(seconds=31))
        assert receiver.ids == feed(archive)
        assert done.delivery == Delivery(int(receiver.ids[-1]))


def test_a_slow_receiver_is_tried_again_and_does_not_delay_another(
    archive: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.delivery.posting._SECONDS", 2.0)
    deliveries.save(archive, {"판": Delivery(0), "느림": Delivery(0)})
    with Receiver() as slow:
        held = threading.Event()
        slow.status = lambda id_: 204 if held.wait(180) else 500
        late, done = send(archive, webhook(slow, name="느림"), webhook(receiver))
        held.set()
    assert late.delivery.fault == "no answer within 2 seconds"
    assert slow.ids == feed(archive)[:1]
    assert receiver.ids == feed(archive)
    assert done.is_well


def test_a_refused_change_becomes_a_dead_letter_and_the_next_follow(archive: Path, receiver: Receiver) -> None:
    second, third = feed(archive)[1:3]
    receiver.status = lambda id_: 500 if id_ == third else 204
    later = timedelta(0)
    for _ in range(MOST_REFUSALS - 1):
        (done,) = send(archive, webhook(receiver), later=later)
        assert done.delivery.cursor == int(second)
        assert done.delivery.retry_at is not None
        later = done.delivery.retry_at - NOW
    assert timedelta(hours=4) < later < timedelta(hours=8)
    (done,) = send(archive, webhook(receiver), later=later)
    assert [letter.seq for letter in done.delivery.dead] == [int(third)]
    assert [*receiver.accepted] == [seq for seq in feed(archive) if seq != third]

    receiver.status = lambda id_: 200
    order = DeliveryOrder(archive, [webhook(receiver)], SECRETS)
    (done,) = asyncio.run(retry(order))
    assert done.delivery.dead == ()
    assert set(receiver.accepted) == set(feed(archive))


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_receiver_is_waited_for_and_nothing_is_given_up(archive: Path, receiver: Receiver, status: int) -> None:
    receiver.status, receiver.headers = lambda id_: status, {"Retry-After": "7200"}
    state = Delivery(0, refusals=MOST_REFUSALS - 1, faults=MOST_REFUSALS - 1)
    deliveries.save(archive, {"판": state})
    (done,) = send(archive, webhook(receiver))
    assert (done.delivery.cursor, done.delivery.dead) == (0, ())
    assert done.delivery.retry_at == NOW + timedelta(hours=2)


def test_a_receiver_that_is_gone_is_asked_no_more_until_a_person_says_so(archive: Path, receiver: Receiver) -> None:
    receiver.status = lambda id_: 410
    for days in range(3):
        (done,) = send(archive, webhook(receiver), later=timedelta(days=days))
    assert receiver.ids == feed(archive)[:1]
    assert done.delivery.disabled
    receiver.status = lambda id_: 200
    asyncio.run(retry(DeliveryOrder(archive, [webhook(receiver)], SECRETS)))
    assert [*receiver.accepted] == feed(archive)


def test_a_redirect_is_not_followed(archive: Path, receiver: Receiver) -> None:
    with Receiver() as elsewhere:
        receiver.status, receiver.headers = lambda id_: 307, {"Location": elsewhere.url}
        (done,) = send(archive, webhook(receiver))
        assert elsewhere.ids == []
    assert done.delivery.fault == "status 307"


def test_a_missing_secret_is_a_fault_until_it_is_set(archive: Path, receiver: Receiver) -> None:
    (done,) = send(archive, webhook(receiver), secrets={})
    assert "RECEIVER_SECRET is not set" in done.delivery.fault
    (done,) = send(archive, webhook(receiver))
    assert done.is_well
    assert receiver.ids == feed(archive)


def test_time_that_is_over_leaves_the_rest_to_the_next_delivery(archive: Path, receiver: Receiver) -> None:
    (done,) = send(archive, webhook(receiver), seconds=0.0)
    assert (done.sent, done.left) == (1, len(feed(archive)) - 1)
    assert receiver.ids == feed(archive)[:1]
    send(archive, webhook(receiver))
    assert receiver.ids == feed(archive)


def test_a_full_disk_is_a_plain_error_and_the_change_is_sent_again(
    archive: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageFault("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(deliveries, "save", full)
        with pytest.raises(StorageFault, match="full"):
            send(archive, webhook(receiver))
    send(archive, webhook(receiver))
    assert receiver.ids == [*feed(archive)[:1], *feed(archive)]


def test_one_process_sends_at_a_time(archive: Path, receiver: Receiver) -> None:
    with deliveries.delivering(archive), pytest.raises(ArchiveBusy, match="another process is sending"):
        send(archive, webhook(receiver))


ANSWERS = st.builds(Answer, st.sampled_from(Verdict), st.just("x"), st.floats(0, 86_400))


@given(st.lists(ANSWERS, max_size=200))
def test_the_cursor_only_passes_what_was_received_or_is_kept_as_a_dead_letter(answers: list[Answer]) -> None:
    state, now, received = Delivery(0), NOW, set()
    for answer in answers:
        if state.disabled:
            break
        seq = state.cursor + 1
        state = after(state, seq, answer, now)
        received |= {seq} if answer.verdict is Verdict.RECEIVED else set()
        assert received | {letter.seq for letter in state.dead} == set(range(1, state.cursor + 1))
        assert (state.retry_at is not None) == (bool(state.fault) and not state.disabled)
        now = state.retry_at or now


# -- the command


def test_a_process_killed_between_answer_and_cursor_repeats_only_that_change(
    archive: Path, receiver: Receiver, tmp_path: Path
) -> None:
    words = ("webhooks", "--send", "--archive", archive, "--topic", topic_with_webhook(tmp_path, receiver))
    fourth = feed(archive)[3]
    held = threading.Event()
    receiver.status = lambda id_: 503 if id_ == fourth and held.wait(180) else 204
    with ending(start(*words, env=SECRETS)) as running:
        until(lambda: receiver.ids[-1:] == [fourth], 120, lambda: f"{receiver.ids}")
        running.kill()
        running.wait()
    held.set()
    receiver.status = lambda id_: 204
    assert seogo(*words, env=SECRETS).code == 0
    assert receiver.ids == [*feed(archive)[:4], *feed(archive)[3:]]
    assert [*receiver.accepted] == feed(archive)


def test_list_test_and_faults(archive: Path, receiver: Receiver, tmp_path: Path) -> None:
    words = ("webhooks", "--archive", archive, "--topic", topic_with_webhook(tmp_path, receiver))
    assert f"{len(feed(archive))} left" in seogo(*words, env=SECRETS).out
    assert seogo(*words, "--test", "판", env=SECRETS).code == 0
    assert [message["type"] for message in receiver.accepted.values()] == ["test"]
    receiver.status = lambda id_: 500
    failed = seogo(*words, "--send", "--json", env=SECRETS)
    assert failed.code == 6
    assert (failed.json[0]["cursor"], failed.json[0]["fault"]) == (0, "status 500")
    for told in (seogo("status", "--archive", archive).out, seogo(*words, env=SECRETS).out):
        assert "status 500" in told
        assert "hidden-in-the-path" not in told
        assert SECRET not in told
    assert seogo(*words, "--test", "없음", env=SECRETS).complaint.endswith("has no webhook '없음'. It has: 판.")
    assert (archive / "state" / "webhooks.json").read_text().find(SECRET) == -1


def test_a_damaged_state_says_what_to_do(archive: Path, receiver: Receiver, tmp_path: Path) -> None:
    (archive / "state" / "webhooks.json").write_text('{"판": 3}')
    ran = seogo("webhooks", "--archive", archive, "--topic", topic_with_webhook(tmp_path, receiver), env=SECRETS)
    assert ran.code == 8
    assert "Remove it" in ran.complaint
