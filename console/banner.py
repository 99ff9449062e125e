"""One or two sentences for the merchant's application to show above everything else.

They say that a payment failed and until when there is access, never why it failed: the reason belongs in
the mail to the person who pays, not on a screen that their colleagues see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Final

from console.language import choose
from dunning.access import Level, Reason
from dunning.money import format_date_time

SOURCE_LANGUAGE: Final = "en"

FAILED_UNTIL: Final = (
    "Your last payment failed. You have access until {until}. Please check your payment details."
)
FAILED: Final = "Your last payment failed. Please check your payment details."
LIMITED: Final = (
    "Your access is limited because a payment failed. Once it is paid, you have full access again."
)
ENDED_UNPAID: Final = (
    "Your access has ended because a payment failed. Once it is paid, you have access again."
)
CANCELED_UNPAID: Final = "Your subscription has ended because a payment failed. Subscribe again to come back."
INCOMPLETE: Final = "Your first payment is not complete. Please check your payment details."
PAUSED: Final = "Your subscription is paused."
ENDED: Final = "You have no active subscription."

# By English sentence, as in a gettext catalogue: a language is one more mapping, or one .po file one day.
TRANSLATIONS: Final[Mapping[str, Mapping[str, str]]] = {
    SOURCE_LANGUAGE: {},
    "de": {
        FAILED_UNTIL: (
            "Ihre letzte Zahlung ist fehlgeschlagen. Sie haben Zugang bis {until}. "
            "Bitte prüfen Sie Ihre Zahlungsdaten."
        ),
        FAILED: "Ihre letzte Zahlung ist fehlgeschlagen. Bitte prüfen Sie Ihre Zahlungsdaten.",
        LIMITED: (
            "Ihr Zugang ist eingeschränkt, weil eine Zahlung fehlgeschlagen ist. "
            "Sobald sie beglichen ist, haben Sie wieder vollen Zugang."
        ),
        ENDED_UNPAID: (
            "Ihr Zugang ist beendet, weil eine Zahlung fehlgeschlagen ist. "
            "Sobald sie beglichen ist, haben Sie wieder Zugang."
        ),
        CANCELED_UNPAID: (
            "Ihr Abonnement ist beendet, weil eine Zahlung fehlgeschlagen ist. "
            "Mit einem neuen Abonnement kommen Sie zurück."
        ),
        INCOMPLETE: "Ihre erste Zahlung ist noch nicht abgeschlossen. Bitte prüfen Sie Ihre Zahlungsdaten.",
        PAUSED: "Ihr Abonnement ist pausiert.",
        ENDED: "Sie haben kein aktives Abonnement.",
    },
}

_REVOKED: Final[Mapping[str, str]] = {
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
    language, locale = choose(tags, TRANSLATIONS) or (SOURCE_LANGUAGE, SOURCE_LANGUAGE)
    text = TRANSLATIONS[language].get(message, message)
    return text.replace("{until}", format_date_time(ahead, locale, zone)) if ahead else text


def _message(level: str, reason: str, until: datetime | None) -> str | None:
    if level == Level.WARNED:
        return FAILED_UNTIL if until else FAILED
    if level == Level.LIMITED:
        return LIMITED
    if level == Level.REVOKED:
        return _REVOKED.get(reason, ENDED)
    return None
