"""Signatures as the public library makes and checks them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from outbound.signing import headers, key_of, new_secret

BODY = '{"type":"case.opened","data":{"name":"Zoë"}}'.encode()


def test_the_public_library_signs_the_same() -> None:
    """The same secret, id, time and body: the same signature."""
    now = datetime.now(UTC)
    secret = new_secret()
    ours = headers([secret], "msg_1", int(now.timestamp()), BODY)
    assert ours["webhook-signature"] == Webhook(secret).sign("msg_1", now, BODY.decode())


def test_while_a_secret_is_replaced_both_verify() -> None:
    """Whoever has the new one and whoever has the old one; nobody else."""
    new, old, other = new_secret(), new_secret(), new_secret()
    signed = headers([new, old], "msg_1", int(datetime.now(UTC).timestamp()), BODY)
    for secret in (new, old):
        Webhook(secret).verify(BODY, signed)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, signed)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(BODY + b" ", signed)


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("sk_live_123", "must start with whsec_"),
        ("whsec_not base64!", "not base64"),
        ("whsec_c2hvcnQ=", "24 to 64 bytes"),
        ("whsec_" + "QUFB" * 22, "24 to 64 bytes"),
    ],
)
def test_a_secret_that_is_none_is_refused_without_being_shown(secret: str, words: str) -> None:
    """What is wrong with it, and nothing of it."""
    with pytest.raises(ValueError, match=words) as caught:
        key_of(secret)
    assert secret.removeprefix("whsec_") not in str(caught.value)


def test_each_new_secret_is_another() -> None:
    """Of 32 random bytes."""
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert {len(key_of(secret)) for secret in made} == {32}
