"""The types of values in a topic file: phrases, contacts, durations and others.

Each is a type with its own check, or a field whose description contains its bounds, so that the message "expected …"
always agrees with the check.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, StringConstraints
from pydantic_core import PydanticCustomError

from schemas.nfc import nfc

_ADDRESS = re.compile(r"(?P<address>https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?)/?")
_CONTACT = re.compile(r"(?=[!-~]{3,200}$)(?:[^@]+@[^@]+\.[^@.]+|https?://[^/?#]+\.[^/?#]+.*)")
_PLACEHOLDER = re.compile(r"[@./](?:example\.(?:org|com|net)|[a-z0-9-]+\.(?:example|invalid|test))\b", re.IGNORECASE)
"""Domains that nobody owns (RFC 2606), such as that of the topic file that ships."""


def naver_address(text: str) -> str:
    """The address of a stand-in for all Naver hosts, without a trailing slash. Raises ValueError."""
    match = _ADDRESS.fullmatch(text.strip())
    if not match or int(match["port"] or 80) not in range(1, 65536):
        raise ValueError(f"expected an address such as http://127.0.0.1:8000, without a path (given {text[:60]!r})")
    return match["address"]


_WEBHOOK = re.compile(r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[!-~]*)?")


def _webhook_address(text: str) -> str:
    """An address that changes are posted to. Plain http only within this machine or a private network."""
    match = _WEBHOOK.fullmatch(text)
    if not match or "#" in text or len(text) > 2000 or not _may_be_posted_to(match["scheme"], match["host"]):
        raise PydanticCustomError("webhook", "not an address that changes may be posted to")
    return text


def _may_be_posted_to(scheme: str, host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return scheme == "https" or host.lower() == "localhost"
    # The metadata services of cloud providers are at link-local addresses.
    refused = address.is_link_local or address.is_multicast or address.is_unspecified
    return not refused and (scheme == "https" or address.is_private)


def _contact(text: str) -> str:
    # It becomes part of a header, so only visible ASCII characters are accepted.
    if not _CONTACT.fullmatch(text):
        raise PydanticCustomError("contact", "not an e-mail address or URL")
    return text


def is_placeholder(contact: str) -> bool:
    """Whether a contact is one of an example: nobody can be reached there."""
    return _PLACEHOLDER.search(contact) is not None


def _duration(value: object) -> object:
    """`2h`, `90m`, `1.5d` as a timedelta. pydantic parses ISO 8601 (`PT2H`); a number without a unit is refused."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if match := re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?([smhdw])", text):
        unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[match[2]]
        return timedelta(**{unit: float(match[1])})
    if not re.fullmatch(r"P[0-9DHMSTWY.]+", text):
        raise PydanticCustomError("duration", "not a duration such as 2h, 90m, 1d or PT2H")
    return text


def _penalty(value: object) -> float | Literal["veto"]:
    if value == "veto":
        return "veto"
    try:
        weight = float(str(value))
    except ValueError:
        weight = 0.0
    if not -1000 <= weight < 0:
        raise PydanticCustomError("penalty", "neither a number below 0 nor veto")
    return weight


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def one_line(text: str) -> str:
    """The text with all white space reduced to single spaces."""
    return " ".join(text.split())


def fold(text: str) -> str:
    """The text for comparisons: in NFC, with single spaces, case-folded."""
    return one_line(nfc(text)).casefold()


def number(default: Any, low: float, high: float, unit: str, what: str = "a number") -> Any:
    """A field for a number with bounds, which its description contains."""
    return Field(default=default, ge=low, le=high, description=f"{what} from {low:,} to {high:,}, {unit}")


def whole(default: Any, low: int, high: int, unit: str) -> Any:
    """A field for a whole number with bounds."""
    return number(default, low, high, unit, "a whole number")


def span(default: timedelta, low: timedelta, high: timedelta, words: str) -> Any:
    """A field for a duration with bounds."""
    return Field(default=default, ge=low, le=high, description=f"a duration such as 2h, 90m, 1d or PT2H, {words}")


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\p{Cc}]+$")]
Phrase = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=100, pattern=r"^[^\p{Cc}]*[\p{L}\p{N}][^\p{Cc}]*$"),
    AfterValidator(nfc),
]
Phrases = Annotated[tuple[Phrase, ...], BeforeValidator(_as_tuple), Field(max_length=200)]
Spellings = Annotated[tuple[Phrase, ...], BeforeValidator(_as_tuple), Field(min_length=1, max_length=50)]
Models = Annotated[tuple[Spellings, ...], BeforeValidator(_as_tuple), Field(max_length=200)]
SourceName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^:\p{Cc}]{1,60}$")]
Oid = Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]
Sid = Annotated[str, StringConstraints(pattern=r"^(10[0-9]|110)$")]
HostName = Annotated[str, StringConstraints(to_lower=True, pattern=r"(?i)^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Penalty = Annotated[float | Literal["veto"], PlainValidator(_penalty)]
Contact = Annotated[str, AfterValidator(_contact)]
NaverAddress = Annotated[str, AfterValidator(naver_address)]
WebhookAddress = Annotated[str, AfterValidator(_webhook_address)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{2,99}$")]
Reason = Annotated[str, AfterValidator(one_line)]

PHRASES = "one phrase or a list of phrases, plain text with a letter or digit in each"
