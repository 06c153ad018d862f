"""The address of a place in an object store.

s3://bucket/prefix      S3, or a server that speaks its protocol (`AWS_ENDPOINT_URL`)
file:///path            a directory
memory://name/prefix    the memory of this process, for tests
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from schemas.errors import BadInput

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SEGMENT = re.compile(r"(?!\.+$)[A-Za-z0-9._=+-]+")
_FORMS = "s3://bucket/prefix or file:///path"


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """`bucket` is empty with the scheme `file`; `prefix` has no slash at its ends."""

    scheme: str
    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.prefix}".rstrip("/")

    def below(self, name: str) -> StoreAddress:
        """The address of a place below this one."""
        return StoreAddress(self.scheme, self.bucket, f"{self.prefix}/{name}".strip("/"))


def parse_address(text: str) -> StoreAddress:
    """Raises BadInput. The message quotes nothing that may be a credential."""
    parts = urlsplit(text.strip())
    if "@" in text or parts.query or parts.fragment:
        raise BadInput(
            f"the address of an object store is {_FORMS}, without credentials and parameters: set AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY in the environment."
        )
    address = StoreAddress(parts.scheme, parts.netloc, parts.path.strip("/"))
    if not _is_valid(address) or "://" not in text:
        raise BadInput(
            f"{text!r} is not the address of an object store: write {_FORMS}. A bucket has 3 to 63 lower-case letters,"
            " digits, dots and hyphens; a path is absolute, of letters, digits and . _ = + -."
        )
    return address


def _is_valid(address: StoreAddress) -> bool:
    segments = address.prefix.split("/") if address.prefix else []
    match address.scheme:
        case "s3" | "memory":
            return bool(_BUCKET.fullmatch(address.bucket)) and all(map(_SEGMENT.fullmatch, segments))
        case "file":
            return not address.bucket and bool(segments) and not {"", ".", ".."} & set(segments)
        case _:
            return False
