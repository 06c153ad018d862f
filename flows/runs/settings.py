"""The topic, the stand-in for Naver and the store of fetchers, from an option or the environment.

The validation is imported only when it is needed, since every start of the command line imports this module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import BadInput

if TYPE_CHECKING:
    from schemas.topic import Topic
    from storage.inbox.inbox import Inbox

_PLACEHOLDER = re.compile(r"[@./](?:example\.(?:org|com|net)|[a-z0-9-]+\.(?:example|invalid|test))\b", re.IGNORECASE)
"""Domains that nobody owns (RFC 2606), such as that of the built-in topic file."""


def topic_from(path: Path | None) -> Topic:
    """The topic in a file, or the topic that ships with seogo. Raises TopicError."""
    from schemas.topic import default_topic_path, load_topic

    return load_topic(path or default_topic_path())


def naver_from(environment: Mapping[str, str]) -> str | None:
    """The address of the stand-in in SEOGO_NAVER; None if it is not set. Raises BadInput."""
    from schemas.topic.fields import naver_address

    address = environment.get("SEOGO_NAVER")
    try:
        return naver_address(address) if address else None
    except ValueError as error:
        if address and "@" in address:  # not repeated in the message: it may contain a password
            raise BadInput("SEOGO_NAVER contains a user name or a password: leave them out.") from None
        raise BadInput(f"SEOGO_NAVER={address!r} is not the address of a stand-in: {error}.") from error


def inbox_at(address: str) -> Inbox:
    """What fetchers and archive share, at the address of a store. Raises BadInput, MissingKey."""
    from storage.inbox.inbox import Inbox
    from storage.objects.store import open_store

    return Inbox(open_store(address))


def shared_inbox(environment: Mapping[str, str]) -> Inbox:
    """The same at the address in SEOGO_STORE. Raises BadInput, MissingKey."""
    if not (address := environment.get("SEOGO_STORE")):
        raise BadInput("SEOGO_STORE is not set: give the address of the store that fetchers and archive share.")
    return inbox_at(address)


def topic_warnings(topic: Topic) -> list[str]:
    """What is valid, but should be changed before Naver is asked."""
    if _PLACEHOLDER.search(topic.contact):
        return [f"contact {topic.contact} is a placeholder: set an address at which Naver can reach you"]
    return []
