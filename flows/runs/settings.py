"""The topic and the stand-in for Naver that an option or the environment names.

The validation is imported when it is needed: the command line reads this module at every start.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import BadInput

if TYPE_CHECKING:
    from schemas.topic import Topic


def topic_from(path: Path | None) -> Topic:
    """The topic of a file, or the one that ships. Raises TopicError."""
    from schemas.topic import default_topic_path, load_topic

    return load_topic(path or default_topic_path())


def naver_from(environment: Mapping[str, str]) -> str | None:
    """The stand-in that SEOGO_NAVER names. Raises BadInput."""
    from schemas.topic.fields import naver_address

    address = environment.get("SEOGO_NAVER")
    try:
        return naver_address(address) if address else None
    except ValueError as error:
        if address and "@" in address:  # not repeated: it may hold a password
            raise BadInput("SEOGO_NAVER holds a user name or a password: write http://127.0.0.1:8000.") from None
        raise BadInput(f"SEOGO_NAVER={address!r} is no stand-in's address: {error}.") from error
