"""A simulated mail service behind the inbox: it says by webhook, as Resend does, what became of each mail.

What becomes of it is in the address: `ada+bounce@...` has no mailbox, `+full` is full, `+spam` complains,
`+late` is still waited for, and everybody else gets their mail.
"""

import hmac
import json
import re
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from sandbox.mail import Mail
from sandbox.mailbox import Mailbox

SECRET = "whsec_" + b64encode(b"sandbox mail service 24b").decode()  # signs simulated events only
_TIMEOUT = 10.0  # seconds
_PAUSE = 0.5  # seconds between two looks, and before an event that was not taken is sent again

_BOUNCES: Mapping[str, Mapping[str, Any]] = {
    "bounce": {"type": "Permanent", "subType": "General", "diagnosticCode": ["smtp; 550 5.1.1 no such user"]},
    "full": {"type": "Transient", "subType": "MailboxFull", "message": "The mailbox is full."},
}
_TYPES = {
    "bounce": "email.bounced",
    "full": "email.bounced",
    "spam": "email.complained",
    "late": "email.delivery_delayed",
}


class MailService:
    """Tells `url` what became of the mails in a mailbox, in the order of their arrival."""

    def __init__(self, mailbox: Mailbox, url: str, secret: str = SECRET) -> None:
        """Say nothing yet."""
        self._mailbox, self._url = mailbox, url
        self._key = b64decode(secret.removeprefix("whsec_"))
        self._told = len(mailbox.messages)

    def tell(self) -> int:
        """Say it of each mail that has come since; how many there were. Raises httpx.HTTPError."""
        mails = self._mailbox.messages[self._told :]
        with httpx.Client(timeout=_TIMEOUT, trust_env=False) as client:
            for mail in mails:
                self._tell(client, mail)
                self._told += 1
        return len(mails)

    def _tell(self, client: httpx.Client, mail: Mail) -> None:
        body = json.dumps(event(mail)).encode()
        headers = self._signed(f"msg_{mail.number}", body)
        client.post(self._url, content=body, headers=headers).raise_for_status()

    def _signed(self, message_id: str, body: bytes) -> dict[str, str]:
        at = str(int(time.time()))
        digest = hmac.digest(self._key, f"{message_id}.{at}.".encode() + body, "sha256")
        return {
            "svix-id": message_id,
            "svix-timestamp": at,
            "svix-signature": f"v1,{b64encode(digest).decode()}",
            "content-type": "application/json",
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        """Tell of mails as they come, while the block runs."""
        stopping = threading.Event()

        def run() -> None:
            while not stopping.wait(_PAUSE):
                try:
                    self.tell()
                except httpx.HTTPError:
                    continue  # the receiver may be starting: it is told next time

        thread = threading.Thread(target=run, name="mail-service", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join(_TIMEOUT)


def event(mail: Mail) -> dict[str, Any]:
    """What the service says of a mail."""
    fate = re.search(r"\+(\w+)@", mail.recipients[0])
    name = fate[1] if fate and fate[1] in _TYPES else ""
    now = datetime.now(UTC).isoformat()
    data: dict[str, Any] = {
        "created_at": now,
        "email_id": f"email_{mail.number}",
        "from": mail.sender,
        "to": list(mail.recipients),
        "subject": mail.subject,
        "headers": [{"name": header, "value": value} for header, value in mail.headers()],
    }
    if name in _BOUNCES:
        data["bounce"] = dict(_BOUNCES[name])
    return {"type": _TYPES.get(name, "email.delivered"), "created_at": now, "data": data}
