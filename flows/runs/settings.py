"""The topic and the stand-in for Naver, from an option or the environment.

The validation is imported only when it is needed, since every start of the command line imports this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import BadInput

if TYPE_CHECKING:
    from schemas.topic import Topic


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
