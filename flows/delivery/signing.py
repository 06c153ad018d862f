"""Signatures as in the Standard Webhooks specification (standardwebhooks.com): HMAC-SHA256 of id, time and body."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.errors import BadInput
from schemas.topic import Webhook

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64
"""Bytes of a secret."""


@dataclass(frozen=True, slots=True)
class Key:
    """The secret that signs. Its representation never shows it."""

    secret: bytes = field(repr=False)

    def headers(self, message_id: str, at: int, body: bytes) -> dict[str, str]:
        """The headers of a message that is sent `at` so many seconds since 1970."""
        signed = b"%s.%d.%s" % (message_id.encode(), at, body)
        signature = base64.b64encode(hmac.new(self.secret, signed, hashlib.sha256).digest()).decode()
        return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": f"v1,{signature}"}


def key_of(webhook: Webhook, secrets: Mapping[str, str]) -> Key:
    """The key of a webhook, from the variable that it names. Raises BadInput, which does not show the value."""
    text = secrets.get(webhook.secret, "").strip()
    if not text:
        raise BadInput(f"webhook {webhook.name}: {webhook.secret} is not set: set it to the secret of the receiver.")
    try:
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except ValueError:  # also for characters that are not ASCII
        secret = b""
    if not _SHORTEST <= len(secret) <= _LONGEST:
        raise BadInput(
            f"webhook {webhook.name}: {webhook.secret} is not a valid secret: expected {_PREFIX} and {_SHORTEST} to"
            f" {_LONGEST} bytes in Base64, such as the output of: echo {_PREFIX}$(openssl rand -base64 32)"
        )
    return Key(secret)
