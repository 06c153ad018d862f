"""The keys of the Search API, from Secret blocks or the environment. They are no parameters: those are shown."""

from __future__ import annotations

import os
from typing import cast

from prefect.blocks.system import Secret

from flows.sources.api_keys import KEY_VARIABLES, ApiKey, keys_from


async def api_keys() -> dict[str, ApiKey]:
    """The keys by endpoint; the environment takes precedence. Raises MissingKey for an incomplete or invalid key."""
    return {**keys_from(await key_values()), **keys_from(os.environ)}


async def key_values() -> dict[str, str]:
    """The values of the blocks by environment variable, after which they are named: `naver-apihub-key-id` and so on."""
    values = {}
    for name in {name for names in KEY_VARIABLES.values() for name in names}:
        if (value := await _secret(name.lower().replace("_", "-"))) is not None:
            values[name] = value
    return values


async def _secret(name: str) -> str | None:
    try:
        block = cast("Secret[str]", await Secret.aload(name))
    except ValueError:
        return None  # there is no block of this name
    return str(block.get())
