"""The delivery to the webhooks after a run, with its faults on standard error."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import SeogoError

if TYPE_CHECKING:
    from schemas.topic import Topic

_LATER = "what is left is sent after the next run, or now: seogo webhooks --send"


def send_changes(topic: Topic, archive: Path) -> None:
    """Send what is due after a run. An error goes to standard error and does not fail the run."""
    import asyncio

    from flows.delivery.deliver import DeliveryOrder, deliver

    try:
        done = asyncio.run(deliver(DeliveryOrder(archive, topic.webhooks, os.environ)))
    except SeogoError as error:
        _warn(f"the webhooks have not received the changes: {error}")
    except KeyboardInterrupt:
        _warn(f"the delivery to the webhooks was interrupted; {_LATER}")
    else:
        for one in done:
            if one.left or not one.is_well:
                _warn(f"{one.explanation}; {_LATER}")


def _warn(text: str) -> None:
    print(f"seogo: warning: {text}", file=sys.stderr)  # noqa: T201
