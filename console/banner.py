"""One or two sentences for the merchant's application to show above everything else.

They say that a payment failed and until when there is access, never why it failed: the reason belongs in
the mail to the person who pays, not on a screen that their colleagues see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Final

from babel import Locale

from dunning.access import Level, Reason
from dunning.money import format_date_time
from language.catalogues import Catalogues, Message
from language.typography import in_a_sentence

BANNERS: Final = Catalogues(Path(__file__).parent / "locales", "console")

FAILED_UNTIL: Final = Message(
    "Your last payment failed. Your access stays as it is until {until}. Please check your payment details."
)
FAILED: Final = Message("Your last payment failed. Please check your payment details.")
LIMITED_UNTIL: Final = Message(
    "Your access is limited because a payment failed, and ends on {until}. "
    "Once it is paid, you have full access again."
)
LIMITED: Final = Message(
    "Your access is limited because a payment failed. Once it is paid, you have full access again."
)
ENDED_UNPAID: Final = Message(
    "Your access has ended because a payment failed. Once it is paid, you have access again."
)
CANCELED_UNPAID: Final = Message(
    "Your subscription has ended because a payment failed. Subscribe again to come back."
)
INCOMPLETE: Final = Message("Your first payment is not complete. Please check your payment details.")
PAUSED: Final = Message("Your subscription is paused.")
ENDED: Final = Message("You have no active subscription.")

_REVOKED: Final[Mapping[str, Message]] = {
    Reason.GRACE_EXPIRED: ENDED_UNPAID,
    Reason.UNPAID: ENDED_UNPAID,
    Reason.PAUSED_FOR_NONPAYMENT: ENDED_UNPAID,
    Reason.WRITTEN_OFF: ENDED_UNPAID,
    Reason.CANCELED_FOR_NONPAYMENT: CANCELED_UNPAID,
    Reason.FIRST_PAYMENT_INCOMPLETE: INCOMPLETE,
    Reason.PAUSED: PAUSED,
}


def banner(
    level: str, reason: str, until: datetime | None, *, now: datetime, tags: Iterable[str], zone: tzinfo
) -> str | None:
    """The text for this access at `now`, or None where there is nothing to say.

    `tags` are languages in order of preference (BCP 47); English when none of them is spoken here. `until`
    is shown in `zone`, and only while it lies ahead: access that outlives its date was kept on purpose.
    """
    ahead = until if until and until > now else None
    message = _message(level, reason, ahead)
    if message is None:
        return None
    language, locale = BANNERS.choose(tags)
    text = BANNERS.translations(language).gettext(message)
    return text.replace("{until}", date_text(ahead, locale, zone)) if ahead else text


def _message(level: str, reason: str, until: datetime | None) -> Message | None:
    if level == Level.WARNED:
        return FAILED_UNTIL if until else FAILED
    if level == Level.LIMITED:
        return LIMITED_UNTIL if until else LIMITED
    if level == Level.REVOKED:
        return _REVOKED.get(reason, ENDED)
    return None


def date_text(moment: datetime, locale: str, zone: tzinfo) -> str:
    """A moment as `locale` writes it within a sentence, in `zone`."""
    return in_a_sentence(format_date_time(moment, locale, zone), Locale.parse(locale, sep="-"))
