"""The signature and the secret of a webhook."""

from __future__ import annotations

import pytest

from flows.delivery.signing import Key, key_of
from schemas.errors import BadInput
from schemas.topic import Webhook
from tests.support.servers.receiver import SECRET

WEBHOOK = Webhook(name="판", url="https://receiver.example/", secret="SEOGO_WEBHOOK_SECRET")


def test_the_example_of_the_specification() -> None:
    key = key_of(WEBHOOK, {WEBHOOK.secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"})
    assert key.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}') == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    "value", ["", "   ", "whsec_", "whsec_c2hvcnQ=", "whsec_비밀비밀비밀비밀비밀비밀", "!" * 40, SECRET * 4]
)
def test_what_is_no_secret_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(BadInput, match="SEOGO_WEBHOOK_SECRET") as error:
        key_of(WEBHOOK, {WEBHOOK.secret: value})
    assert len(value) < 7 or value not in str(error.value)


def test_a_key_does_not_show_its_secret() -> None:
    assert repr(Key(b"0123456789")) == "Key()"
