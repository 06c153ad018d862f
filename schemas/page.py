"""The result of a fetch, and the record of a request.

RawPage          a response as it was received
FetchFault       no usable response, and why
RequestRecord    one request that was sent (a row of the table `requests`)
CaptureRef       where a raw response is stored
Validators       the headers that make a conditional request possible
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Fault(StrEnum):
    """Why there is no usable response."""

    FORBIDDEN = "forbidden"  # disallowed by robots.txt: no request was sent
    BLOCKED = "blocked"  # refused by Naver: 401, 403, or 429 at every try
    BACKING_OFF = "backing_off"  # the host is paused for longer than this run waits
    STOPPED = "stopped"  # the run was stopped before the request was sent
    OFFLINE = "offline"  # no host can be reached: no request was sent
    UNAVAILABLE = "unavailable"  # 5xx at every try
    CONNECTION = "connection"  # DNS, refused, reset, TLS, truncated response: at every try
    TIMEOUT = "timeout"  # connecting, reading or the whole response took too long
    TOO_LARGE = "too_large"  # the response is larger than allowed, as sent or decoded
    BAD_ANSWER = "bad_answer"  # not HTTP, or a body that cannot be decoded
    BAD_REDIRECT = "bad_redirect"  # to a host outside Naver, or in a loop


DISALLOWED = "/robots.txt disallows it for "
"""In the reason of each FORBIDDEN, and of each gap that comes of it."""

UNREACHABLE = "no host can be reached: "
"""How the reason of each OFFLINE begins, and of each gap that comes of it."""

NO_KEY = "no key for the Search API: "
KEY_REFUSED = "the Search API refuses the key: "
"""How the reason of each gap begins that comes of a missing or wrong key."""


@dataclass(frozen=True, slots=True)
class CaptureRef:
    """Where a raw response is stored: the WARC file relative to the archive, and the offset of the record in bytes.

    `length`: of the record in bytes, compressed; None if it was not recorded. It does not distinguish references.
    """

    file: str
    offset: int
    length: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Validators:
    """The headers ETag and Last-Modified of a response, verbatim."""

    etag: str | None = None
    last_modified: str | None = None

    def as_headers(self) -> dict[str, str]:
        """The headers of a conditional request: send the page only if it has changed."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}


@dataclass(frozen=True, slots=True)
class RawPage:
    """A response. `url` was requested originally; `final_url` responded, after redirects.

    `payload` is the body as sent, possibly compressed (this is captured), `content` the decoded body (this is parsed).
    `request_headers` contain no API keys. `why` is the purpose of the request, such as `article`; `capture` is where
    the response is stored, once it is. `records`: its WARC records, if it was read from a fetcher's segment.
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
    records: tuple[bytes, ...] = field(default=(), compare=False, repr=False)

    def header(self, name: str) -> str | None:
        """The first header of this name, ignoring case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class FetchFault:
    """No usable response. `status` is the last HTTP status, if there was one."""

    url: str
    fault: Fault
    detail: str
    status: int | None = None
    retry_at: datetime | None = None  # when the host's pause ends, if it is paused


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that was sent. `seconds` last from sending to the last byte; `received` counts bytes as sent.

    `attempt` counts the tries of one fetch from 1. `why` is the purpose, such as `article`, `robots`,
    `search_api:소버린 AI`. `fault` says what went wrong, if anything. `url` contains no API key.
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
