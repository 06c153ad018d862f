"""What comes back from a fetch, and the ledger's row about it.

RawPage          an answer, as it came over the wire
FetchFault       no answer that could be used, and why
RequestRecord    one request on the wire (a row of the table `requests`)
CaptureRef       where a raw answer is kept
Validators       what a server says of a page so that it need not send it again
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Fault(StrEnum):
    """Why there is no answer."""

    FORBIDDEN = "forbidden"  # robots.txt says no: nothing was asked
    BLOCKED = "blocked"  # Naver refuses us: 401, 403, or 429 until the tries ran out
    BACKING_OFF = "backing_off"  # the host asked for a pause longer than this run waits
    STOPPED = "stopped"  # the run was stopped while this waited
    UNAVAILABLE = "unavailable"  # 5xx until the tries ran out
    CONNECTION = "connection"  # DNS, refused, reset, TLS, cut answer: until the tries ran out
    TIMEOUT = "timeout"  # connect, read or the whole answer took too long
    TOO_LARGE = "too_large"  # the answer is larger than allowed, as sent or unpacked
    BAD_ANSWER = "bad_answer"  # not HTTP, or a body that cannot be unpacked
    BAD_REDIRECT = "bad_redirect"  # to a host that is not Naver's, or round in circles


@dataclass(frozen=True, slots=True)
class CaptureRef:
    """Where a raw answer is kept: the WARC file, relative to the archive, and the record's first byte in it."""

    file: str
    offset: int


@dataclass(frozen=True, slots=True)
class Validators:
    """The headers ETag and Last-Modified of an answer, as they came: sent back, they ask "has it changed since?"."""

    etag: str | None = None
    last_modified: str | None = None

    def as_headers(self) -> dict[str, str]:
        """The request headers that ask for the page only if it has changed."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}


@dataclass(frozen=True, slots=True)
class RawPage:
    """An answer. `url` is what was asked first, `final_url` what answered after redirects.

    `payload` are the bytes as sent (perhaps gzip-encoded: this is what a capture keeps), `content` the same unpacked
    (what a parser reads). `request_headers` hold no key: the client removes them. `why` says what it was asked for,
    such as `article`; `capture` where it is kept, once it is.
    """

    url: str
    final_url: str
    status: int
    reason: str
    http_version: str
    headers: tuple[tuple[str, str], ...]
    request_headers: tuple[tuple[str, str], ...]
    payload: bytes
    content: bytes
    fetched_at: datetime
    why: str = "article"
    capture: CaptureRef | None = None

    def header(self, name: str) -> str | None:
        """The first header of this name, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class FetchFault:
    """No answer that could be used. `status` is the last HTTP status, where there was one."""

    url: str
    fault: Fault
    detail: str
    status: int | None = None
    retry_at: datetime | None = None  # when the host may be asked again, where it said so


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request on the wire. `seconds` from sending to the last byte; `received` counts bytes as sent.

    `attempt` counts from 1 for the tries of one fetch; `why` says what for, such as `article`, `robots`,
    `search_api:소버린 AI`; `fault` says what went wrong, if anything. `url` holds no key.
    """

    started_at: datetime
    host: str
    url: str
    status: int | None
    received: int
    seconds: float
    attempt: int
    why: str
    fault: str | None = None
