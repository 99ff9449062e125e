"""For how long personal data is kept that is needed no more."""

from datetime import timedelta
from typing import Any

from settings.field import Settings, setting

_DAYS: dict[str, Any] = {"ge": 1, "le": 3650, "cure": "Give whole days, from 1 to 3650."}


class Retention(Settings):
    """How long events, the text of mails and links are kept. Schedulers remove them; see docs/privacy.md."""

    keep_events_days: int = setting(
        "DUNNING_KEEP_EVENTS_DAYS",
        "Days after which an event that was applied is removed, and would be news if it came again: Stripe "
        "may send one again for 30 days. What followed from it is kept. See docs/scaling.md.",
        default=400,
        example="400",
        ge=35,
        le=3650,
        cure="Give whole days, from 35 to 3650.",
    )

    keep_payloads_days: int = setting(
        "DUNNING_KEEP_PAYLOADS_DAYS",
        "Days after which the content of an event that was applied is removed. That it came is kept.",
        default=30,
        example="30",
        **_DAYS,
    )
    keep_mails_days: int = setting(
        "DUNNING_KEEP_MAILS_DAYS",
        "Days after which the text of a mail that was sent is removed, and what servers and mail services "
        "said of it in their own words. That it was sent, when and to which address is kept.",
        default=30,
        example="30",
        **_DAYS,
    )
    keep_links_days: int = setting(
        "DUNNING_KEEP_LINKS_DAYS",
        "Days after the end of a case after which the links to its page are removed. They open nothing a "
        "week after it, but whoever follows one is offered a fresh one, to come back.",
        default=365,
        example="365",
        **_DAYS,
    )
    keep_outgoing_days: int = setting(
        "DUNNING_KEEP_OUTGOING_DAYS",
        "Days after which an event that your application was told is removed, and can be sent again no more.",
        default=90,
        example="90",
        **_DAYS,
    )

    def kept(self, what: str) -> timedelta:
        """The span of `events`, `payloads`, `mails`, `links` or `outgoing`."""
        return timedelta(days=getattr(self, f"keep_{what}_days"))
