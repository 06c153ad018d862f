"""The command `webhooks`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.exit_codes import Exit
from flows.cli.options import DEFAULT_ARCHIVE, ArchiveOption, JsonOption, TopicOption
from flows.cli.run_here import finish
from schemas.errors import BadInput
from storage.layout import check_archive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.delivery.deliver import Delivered
    from schemas.topic import Webhook


def webhooks(
    send: Annotated[bool, typer.Option("--send", help="Send what is due now.")] = False,
    retry: Annotated[
        str | None,
        typer.Option("--retry", metavar="NAME", help="Send to this one now, dead letters first; enable it again."),
    ] = None,
    test: Annotated[
        str | None, typer.Option("--test", metavar="NAME", help="Send a message of the type `test` to this one.")
    ] = None,
    archive: ArchiveOption = DEFAULT_ARCHIVE,
    topic: TopicOption = None,
    json: JsonOption = False,
) -> None:
    """Show how far each webhook has received the changes.

    With --send or --retry, what is due is sent. Exit code 6 if a receiver did not accept what was sent.
    """
    import asyncio

    from flows.delivery import deliver
    from flows.runs.settings import topic_from

    if sum((send, retry is not None, test is not None)) > 1:
        raise BadInput("--send, --retry and --test exclude each other: give one of them.")
    found = topic_from(topic).webhooks
    if test is not None:
        _test(_named(found, test), as_json=json)
    check_archive(archive)
    chosen = found if retry is None else (_named(found, retry),)
    work = deliver.retry if retry is not None else deliver.deliver if send else deliver.standing
    done = asyncio.run(work(deliver.DeliveryOrder(archive, chosen, os.environ)))
    failed = any(one.delivery.fault for one in done) and work is not deliver.standing
    finish(done, _show, as_json=json, code=Exit.PARTLY_FAILED if failed else Exit.DONE, to_json=_objects)


def _named(found: Sequence[Webhook], name: str) -> Webhook:
    for one in found:
        if one.name == name:
            return one
    names = ", ".join(one.name for one in found) or "none"
    raise BadInput(f"the topic file has no webhook {name!r}. It has: {names}.")


def _test(webhook: Webhook, *, as_json: bool) -> None:
    import asyncio

    from flows.cli.show.terminal import say
    from flows.delivery.deliver import send_test
    from flows.delivery.posting import Verdict

    answer = asyncio.run(send_test(webhook, os.environ))
    is_received = answer.verdict is Verdict.RECEIVED
    found = {"name": webhook.name, "received": is_received, "detail": answer.detail}
    text = f"webhook {webhook.name}: {'received' if is_received else 'not received'} ({answer.detail})"
    code = Exit.DONE if is_received else Exit.PARTLY_FAILED
    finish(found, lambda _: say(text, "bold green" if is_received else "bold red"), as_json=as_json, code=code)


def _show(done: Sequence[Delivered]) -> None:
    from flows.cli.show.terminal import say

    if not done:
        say("the topic file has no webhooks: docs/topics.md says how to add one")
    for one in done:
        say(one.explanation, "" if one.is_well else "yellow")
        for letter in one.delivery.dead:
            say(f"  dead letter: change {letter.seq} of {letter.at:%Y-%m-%d %H:%M %Z}: {letter.reason}", "yellow")


def _objects(done: Sequence[Delivered]) -> list[dict[str, Any]]:
    from dataclasses import asdict

    return [{"name": one.name, "sent": one.sent, "left": one.left, **asdict(one.delivery)} for one in done]
