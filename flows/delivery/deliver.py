"""Sends each webhook the changes behind its cursor, one after the other.

The cursor is stored after each 2xx. A process that is killed between the two sends this change again: receivers
recognise it by its id. After any other answer the webhook waits, and later continues with the same change, so that the
order is kept. A receiver that refuses the same change again and again gets the next one: the change becomes a dead
letter, which is kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.delivery.message import body_of, changes_of, first_cursor, pending, wanted_behind
from flows.delivery.posting import Answer, Postman, Verdict
from flows.delivery.signing import Key, key_of
from schemas.article import SEOUL
from schemas.counted import counted
from schemas.errors import BadInput
from schemas.topic import Webhook
from storage.state import deliveries
from storage.state.deliveries import DeadLetter, Delivery

MOST_REFUSALS = 12
"""A change that was refused so often, over about five hours, is a dead letter."""
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class DeliveryOrder:
    """What to deliver. `secrets`: by the names in the webhooks. `seconds`: after so many, the rest is left to the next
    delivery. `now`: the time, unless a test sets another."""

    archive: Path
    webhooks: Sequence[Webhook]
    secrets: Mapping[str, str] = field(repr=False)
    seconds: float = 60.0
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The result for one webhook: changes that were received now, and how many are left; its state afterwards."""

    name: str
    sent: int
    left: int
    delivery: Delivery

    @property
    def is_well(self) -> bool:
        """Whether nothing is left that a fault prevents, and there are no dead letters."""
        return not (self.delivery.fault or self.delivery.dead)

    @property
    def explanation(self) -> str:
        """The result in a sentence, without the address."""
        one, parts = self.delivery, [f"{counted(self.sent, 'change')} sent"] if self.sent else []
        parts.append(f"{self.left:,} left to send" if self.left else "nothing left to send")
        if one.fault:
            since = f" since {one.failing_since.astimezone(SEOUL):%Y-%m-%d %H:%M}" if one.failing_since else ""
            again = f"; next try {one.retry_at.astimezone(SEOUL):%H:%M}" if one.retry_at else ""
            parts.append(f"{one.fault}{since}{'; disabled' if one.disabled else again}")
        if one.dead:
            parts.append(counted(len(one.dead), "dead letter"))
        return f"webhook {self.name}: {', '.join(parts)}"


async def deliver(order: DeliveryOrder) -> list[Delivered]:
    """Send what is due to all webhooks, side by side. A receiver's fault raises nothing: the result has it.

    Raises ArchiveBusy if another process is sending, BadInput, ArchiveDamaged, StorageFault.
    """
    with deliveries.delivering(order.archive):
        return await _Round(order).all()


async def retry(order: DeliveryOrder) -> list[Delivered]:
    """The same without waiting for the next try; dead letters first, and disabled webhooks too."""
    with deliveries.delivering(order.archive):
        this = _Round(order)
        for one in order.webhooks:
            this.set(one.name, replace(this.states[one.name], disabled=False, retry_at=None, refusals=0, faults=0))
        return await this.all(dead_letters=True)


async def standing(order: DeliveryOrder) -> list[Delivered]:
    """How far each webhook is, without sending anything. One that is new begins with the newest run."""
    states = deliveries.load(order.archive)
    begin = Delivery(first_cursor(order.archive))
    return _results(order, {one.name: states.get(one.name, begin) for one in order.webhooks}, {})


def after(one: Delivery, seq: int, answer: Answer, now: datetime) -> Delivery:
    """The state of a webhook after an answer to the change `seq`."""
    if answer.verdict is Verdict.RECEIVED:
        return Delivery(seq, dead=one.dead)
    failed = replace(one, fault=answer.detail, failing_since=one.failing_since or now)
    if answer.verdict is Verdict.GONE:
        return replace(failed, disabled=True, retry_at=None)
    refusals = one.refusals + (answer.verdict is Verdict.REFUSED)
    if refusals >= MOST_REFUSALS:
        return Delivery(seq, dead=(*one.dead, DeadLetter(seq, now, answer.detail)))
    # 30 s, 1 min, 2 min … 1 h; the exponent is bounded, as an outage is not.
    pause = min(_FIRST_PAUSE * 2 ** min(one.faults, 10), _LONGEST_PAUSE)
    retry_at = now + max(pause, timedelta(seconds=answer.retry_after))
    return replace(failed, refusals=refusals, faults=one.faults + 1, retry_at=retry_at)


def _results(order: DeliveryOrder, states: Mapping[str, Delivery], sent: Mapping[str, int]) -> list[Delivered]:
    names = [one.name for one in order.webhooks]
    left = pending(order.archive, {name: states[name].cursor for name in names})
    return [Delivered(name, sent.get(name, 0), left[name], states[name]) for name in names]


class _Round:
    """One delivery. All webhooks share the file of their states."""

    def __init__(self, order: DeliveryOrder) -> None:
        self._order = order
        self._ends = time.monotonic() + order.seconds
        self.states = deliveries.load(order.archive)
        self._sent = dict.fromkeys((one.name for one in order.webhooks), 0)
        if new := [one.name for one in order.webhooks if one.name not in self.states]:
            self.states |= dict.fromkeys(new, Delivery(first_cursor(order.archive)))
            deliveries.save(order.archive, self.states)

    def set(self, name: str, state: Delivery) -> None:
        """Store the state of a webhook."""
        self.states[name] = state
        deliveries.save(self._order.archive, self.states)

    async def all(self, *, dead_letters: bool = False) -> list[Delivered]:
        """All webhooks."""
        try:
            async with Postman() as postman, asyncio.TaskGroup() as group:
                for one in self._order.webhooks:
                    group.create_task(self._webhook(one, postman, dead_letters=dead_letters))
        except ExceptionGroup as faults:  # of the archive or of the disk, so that they are the same for all
            raise faults.exceptions[0] from None
        return _results(self._order, self.states, self._sent)

    async def _webhook(self, one: Webhook, postman: Postman, *, dead_letters: bool) -> None:
        state, now = self.states[one.name], self._order.now()
        if state.disabled or (state.retry_at and state.retry_at > now):
            return
        try:
            key = key_of(one, self._order.secrets)
        except BadInput as mistake:
            fault = str(mistake).removeprefix(f"webhook {one.name}: ")
            self.set(one.name, replace(state, fault=fault, failing_since=state.failing_since or now))
            return
        if dead_letters:
            await self._dead_letters(one, key, postman)
        await self._changes(one, key, postman)

    async def _changes(self, one: Webhook, key: Key, postman: Postman) -> None:
        while batch := wanted_behind(self._order.archive, self.states[one.name].cursor, one):
            for change, is_wanted in batch:
                if not is_wanted:
                    self.states[one.name] = replace(self.states[one.name], cursor=change["seq"])
                    continue
                answer = await self._post(one, key, postman, change["seq"], body_of(change))
                self.set(one.name, after(self.states[one.name], change["seq"], answer, self._order.now()))
                if self.states[one.name].fault or time.monotonic() >= self._ends:
                    return
            self.set(one.name, self.states[one.name])
        if self.states[one.name].fault:  # nothing is left to send, and what was missing, such as the secret, is there
            self.set(one.name, replace(self.states[one.name], fault="", failing_since=None, retry_at=None))

    async def _dead_letters(self, one: Webhook, key: Key, postman: Postman) -> None:
        letters = {letter.seq: letter for letter in self.states[one.name].dead}
        for change in changes_of(self._order.archive, sorted(letters)):
            answer = await self._post(one, key, postman, change["seq"], body_of(change))
            if answer.verdict is not Verdict.RECEIVED:
                return
            del letters[change["seq"]]
            self.set(one.name, replace(self.states[one.name], dead=tuple(letters.values())))

    async def _post(self, one: Webhook, key: Key, postman: Postman, seq: int, body: bytes) -> Answer:
        answer = await postman.post(one.url, key.headers(str(seq), int(time.time()), body), body)
        self._sent[one.name] += answer.verdict is Verdict.RECEIVED
        return answer


async def send_test(webhook: Webhook, secrets: Mapping[str, str]) -> Answer:
    """Post a message of the type `test`. Raises BadInput if there is no secret."""
    at = datetime.now(SEOUL)
    key, body = key_of(webhook, secrets), b'{"type":"test","timestamp":"%s","data":{}}' % at.isoformat().encode()
    async with Postman() as postman:
        message_id = f"test-{at:%Y%m%dT%H%M%S%f}"
        return await postman.post(webhook.url, key.headers(message_id, int(at.timestamp()), body), body)
