"""A mail server that goes wrong now and then: it refuses a mail for a while, or takes it and says nothing.

What becomes of a mail follows from the seed and its Message-ID, so that a seed that is played again treats it
in the same way. Each fails once at most: what is refused arrives at the next attempt.
"""

from __future__ import annotations

import time
from email import message_from_bytes
from random import Random

from sandbox.smtp import Fault
from tests.chaos.rig.history import History, MailAnswer, Mailed

KEY_HEADER = "Resend-Idempotency-Key"


class MailService:
    """Decides the fate of each mail and writes it down; `fate` is what the inbox asks.

    `refused` and `silent` are the shares of mails that are answered with 451, or kept without an answer for
    `silence` seconds, after which the connection breaks. With `keys` it knows a mail by its idempotency key,
    as Resend does, and keeps one copy of it.
    """

    def __init__(self, history: History, seed: int, *, keys: bool = False, silence: float = 1.0) -> None:
        self.refused = self.silent = 0.0
        self._history, self._seed, self._keys, self._silence = history, seed, keys, silence
        self._known: set[str] = set()
        self._failed: set[str] = set()

    def fate(self, content: bytes) -> Fault | None:
        """What goes wrong with this mail; None: nothing."""
        message = message_from_bytes(content)
        mail, key = message["Message-ID"], message[KEY_HEADER]
        if self._keys and key in self._known:
            self._note(mail, message["To"], "known")
            return Fault("refuse", "data", "250 2.0.0 it is here already")
        draw = 1.0 if mail in self._failed else Random(f"{self._seed} {mail}").random()  # noqa: S311  # no secret
        if draw < self.refused:
            self._failed.add(mail)
            self._note(mail, message["To"], "refused")
            return Fault("refuse", "data", "451 4.3.0 try again later")
        if key:
            self._known.add(key)
        if draw < self.refused + self.silent:
            self._failed.add(mail)
            self._note(mail, message["To"], "silence")
            return Fault("hang", "data", stored=True, seconds=self._silence)
        self._note(mail, message["To"], "accepted")
        return None

    def _note(self, mail: str, recipient: str, answer: MailAnswer) -> None:
        self._history.write(Mailed(time.time(), mail, recipient, answer))
