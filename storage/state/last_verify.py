"""The time and the result of the last verification, in `state/last_verify.json`."""

from __future__ import annotations

import logging
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ValidationError

from schemas.errors import StorageFault
from storage.files import write_atomically
from storage.layout import LAST_VERIFY

_log = logging.getLogger(__name__)


class LastVerify(BaseModel):
    """What a verification counted; `first_fault` is the first of its `faults`, in words."""

    ended_at: AwareDatetime
    articles: int
    files: int
    captures: int
    faults: int
    first_fault: str | None = None


def save(root: Path, verified: LastVerify) -> None:
    """Replace the file. Raises StorageFault."""
    path = root / LAST_VERIFY
    try:
        write_atomically(path, verified.model_dump_json().encode(), temporary=path.with_suffix(".tmp"))
    except OSError as error:
        raise StorageFault(f"{path} cannot be written: {error.strerror}.") from error


def load(root: Path) -> LastVerify | None:
    """The last verification; None where there is none, and where the file is damaged, with a warning."""
    path = root / LAST_VERIFY
    try:
        return LastVerify.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        _log.warning("%s is damaged: it does not count. Run: seogo verify", path)
        return None
    except OSError as error:
        raise StorageFault(f"{path} cannot be read: {error.strerror}.") from error
