"""The Search API's keys, from the environment. No other module reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flows.sources.discover import KEY_VARIABLES, ApiKey
from schemas.errors import MissingKey

_KEY = re.compile(r"[A-Za-z0-9_.~+/=-]+")
"""What a key may consist of: characters that look the same in a header, in JSON, in HTML and in an error, so that a
key which a server sends back is recognised."""


def keys_from(environment: Mapping[str, str]) -> dict[str, ApiKey]:
    """The keys that are there; an endpoint without both parts of its key is left out. Raises MissingKey."""
    return {
        endpoint: ApiKey(_part(environment, key_id), _part(environment, secret))
        for endpoint, (key_id, secret) in KEY_VARIABLES.items()
        if environment.get(key_id, "").strip() and environment.get(secret, "").strip()
    }


def _part(environment: Mapping[str, str], variable: str) -> str:
    part = environment[variable].strip()  # read from a file, it ends in a line break
    if not _KEY.fullmatch(part):
        raise MissingKey(f"{variable} is no key: it holds a character that no key has. Copy it again.")
    return part
