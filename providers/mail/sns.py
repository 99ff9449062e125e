"""Messages of Amazon SNS: whether Amazon signed one, and where it may be asked, without asking it.

docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html: the values of some fields, each after
its name, are signed with the key of a certificate that is fetched from an address in the message itself. So
that address is believed only on a host of SNS, of the region that the topic is in.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

NOTIFICATION, CONFIRMATION = "Notification", "SubscriptionConfirmation"
_FIELDS: Mapping[str, tuple[str, ...]] = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_OPTIONAL = frozenset({"Subject"})
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{8,64}\.pem")


class NotGenuineError(Exception):
    """The message is not what it seems to be; the text is a reason code."""


def certificate_url(message: Mapping[str, Any]) -> str:
    """Where the certificate is. Raises NotGenuineError for any place that is not Amazon's for it."""
    url = str(message.get("SigningCertURL", ""))
    parts = _amazons(url, str(message.get("TopicArn", "")))
    if not _CERTIFICATE.fullmatch(parts.path) or parts.query:
        raise NotGenuineError("certificate_path")
    return url


def confirmation_url(message: Mapping[str, Any]) -> str:
    """Where a subscription is confirmed. Raises NotGenuineError for anything but that."""
    url = str(message.get("SubscribeURL", ""))
    topic = str(message.get("TopicArn", ""))
    asked = dict(parse_qsl(_amazons(url, topic).query))
    if asked.get("Action") != "ConfirmSubscription" or asked.get("TopicArn") != topic:
        raise NotGenuineError("confirmation")
    return url


def _amazons(url: str, topic: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotGenuineError("url") from None
    region = topic.split(":")[3] if topic.count(":") == 5 else ""
    hosts = {f"sns.{region}.amazonaws.com", f"sns.{region}.amazonaws.com.cn"} if region else set()
    plain = port is None and not parts.username and not parts.fragment
    if parts.scheme != "https" or parts.netloc not in hosts or not plain:
        raise NotGenuineError("host")
    return parts


def signed_text(message: Mapping[str, Any]) -> bytes:
    """What the signature was made over. Raises NotGenuineError where it cannot be put together."""
    lines: list[str] = []
    for name in _FIELDS.get(str(message.get("Type")), ()):
        value = message.get(name)
        if value is None and name in _OPTIONAL:
            continue
        if not isinstance(value, str):
            raise NotGenuineError("fields")
        lines += [name, value]
    if not lines:
        raise NotGenuineError("type")
    try:
        return "".join(f"{line}\n" for line in lines).encode()
    except UnicodeEncodeError:  # half a character, which JSON can hold
        raise NotGenuineError("fields") from None


def verify(message: Mapping[str, Any], certificate: bytes) -> None:
    """Return when the certificate's key has signed the message. Raises NotGenuineError.

    Versions 1 (SHA-1) and 2 (SHA-256): which one a topic uses is its owner's setting.
    """
    # Loaded when the first message comes: most workers never see one.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256
    from cryptography.x509 import load_pem_x509_certificate

    digest = {"1": SHA1, "2": SHA256}.get(str(message.get("SignatureVersion")))
    if digest is None:
        raise NotGenuineError("version")
    try:
        key = load_pem_x509_certificate(certificate).public_key()
        signature = b64decode(str(message.get("Signature", "")), validate=True)
    except (ValueError, binascii.Error):
        raise NotGenuineError("unreadable") from None
    if not isinstance(key, RSAPublicKey):
        raise NotGenuineError("key")
    try:
        key.verify(signature, signed_text(message), PKCS1v15(), digest())
    except InvalidSignature:
        raise NotGenuineError("signature") from None
