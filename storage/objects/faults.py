"""What went wrong at an object store, as errors of `schemas.errors`.

A server's answer and the library's message may contain keys, signatures and headers: of the former, an error quotes
the status and the code, and of the latter nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors import (
    ObjectChanged,
    ObjectExists,
    ObjectMissing,
    ObjectStoreFault,
    ObjectStoreRefused,
    ObjectStoreUnavailable,
    SeogoError,
)

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_NO_BUCKET = "NoSuchBucket"
_WRONG_REGION = ("incorrectly configured region", "AuthorizationHeaderMalformed", "PermanentRedirect")
_SLOW = ("timed out", "operation timeout", "TimedOut", "RequestTimeout")
_TOO_SHORT = ("Invalid range", "Wanted range", "status code: 416", "InvalidRange")
_NO_S3_ANSWER = re.compile(
    r"invalid \w+ response|non-partial response|Content-Range|Requested [\d.]+, got [\d.]+|Header missing from response"
)


@contextmanager
def object_faults(where: str) -> Iterator[None]:
    """Turn the library's errors in this block into ours. `where`: the object or the store, for the message."""
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        # `from None`: a traceback would show the library's message.
        raise _fault(where, error) from None


def _fault(where: str, error: Exception) -> SeogoError:
    text = str(error)
    match type(error).__name__:
        case "AlreadyExistsError":
            return ObjectExists(f"{where} exists already and was not replaced.")
        case "PreconditionError" | "NotModifiedError":
            return ObjectChanged(f"{where} was replaced while it was read.")
        case "FileNotFoundError" if _NO_BUCKET not in text:
            return ObjectMissing(f"{where} does not exist.")
        case "PermissionDeniedError" | "UnauthenticatedError" | "PermissionError":
            return _no_access(where, text)
        case _:
            return _by_text(where, text)


def _by_text(where: str, text: str) -> SeogoError:
    """For errors that the library does not distinguish by their class."""
    if _NO_BUCKET in text:
        return ObjectStoreRefused(f"{where}: there is no such bucket. Create it, or correct the address.")
    if any(words in text for words in _WRONG_REGION):
        return ObjectStoreRefused(f"{where}: the bucket is in another region{_answer(text)}. Set AWS_REGION.")
    if any(words in text for words in _TOO_SHORT):
        return ObjectChanged(f"{where} is shorter than it was when it was written.")
    if _NO_S3_ANSWER.search(text):
        return no_s3_answer(where)
    status = _STATUS.search(text)
    if status is not None and status[1] in ("401", "403"):
        return _no_access(where, text)
    if status is not None and (status[1] == "501" or status[1].startswith("4")) and status[1] not in ("408", "429"):
        return ObjectStoreRefused(f"{where}: the store refuses the request{_answer(text)}.")
    if status is not None:
        return ObjectStoreUnavailable(f"{where}: the store does not serve the request{_answer(text)}. Try again later.")
    reason = "does not answer in time" if any(words in text for words in _SLOW) else "cannot be reached"
    return ObjectStoreUnavailable(f"{where}: the store {reason}. Try again later; check AWS_ENDPOINT_URL.")


def _no_access(where: str, text: str) -> ObjectStoreRefused:
    return ObjectStoreRefused(
        f"{where}: the store refuses access{_answer(text)}. Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the"
        " rights of the key."
    )


def no_s3_answer(where: str) -> ObjectStoreFault:
    """An answer that is not one of S3, from a server that does not speak it, or speaks it wrongly."""
    return ObjectStoreFault(f"{where}: the answer is not one of S3. Check AWS_ENDPOINT_URL.")


def _answer(text: str) -> str:
    """The status and the code of an answer in brackets, as far as they are there."""
    found = [match[1] for pattern in (_STATUS, _CODE) if (match := pattern.search(text))]
    return f" ({' '.join(found)})" if found else ""
