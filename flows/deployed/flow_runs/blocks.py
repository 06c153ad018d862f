"""Secrets, from Secret blocks or the environment. They are no parameters: those are shown.

A block is named after the environment variable: `naver-apihub-key-id` is NAVER_APIHUB_KEY_ID.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from prefect.blocks.system import Secret

from flows.sources.api_keys import KEY_VARIABLES, ApiKey, keys_from
from schemas.errors import BadInput

if TYPE_CHECKING:
    from prefect_email import EmailServerCredentials


async def api_keys() -> dict[str, ApiKey]:
    """The keys by endpoint; the environment takes precedence. Raises MissingKey for an incomplete or invalid key."""
    return {**keys_from(await key_values()), **keys_from(os.environ)}


async def key_values() -> dict[str, str]:
    """The Search API's keys in blocks, by environment variable."""
    return await secrets({name for names in KEY_VARIABLES.values() for name in names})


async def secrets(names: Iterable[str]) -> dict[str, str]:
    """The values of the blocks by environment variable; those that there are."""
    values = {}
    for name in names:
        if (value := await _secret(name.lower().replace("_", "-"))) is not None:
            values[name] = value
    return values


async def _secret(name: str) -> str | None:
    try:
        block = cast("Secret[str]", await Secret.aload(name))
    except ValueError:
        return None  # there is no block of this name
    return str(block.get())


async def mail_server(name: str) -> EmailServerCredentials:
    """The server of a block `Email Server Credentials`. Raises BadInput if there is none, or no package for it."""
    try:
        from prefect_email import EmailServerCredentials
    except ModuleNotFoundError as error:
        raise BadInput("mail needs the package prefect-email: pip install 'seogo[mail]'.") from error
    try:
        return await EmailServerCredentials.aload(name)
    except ValueError as error:
        raise BadInput(
            f"the server has no block {name!r} of the type Email Server Credentials: create it in the UI (once before"
            " that: prefect block register -m prefect_email)."
        ) from error
