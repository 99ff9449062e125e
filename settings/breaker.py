"""How much may happen at once before a person has to look."""

from typing import Literal

from settings.field import Settings, setting


class Breaker(Settings):
    """What stops a wave of failures from becoming a wave of mails and locked doors. See docs/breaker.md."""

    breaker: Literal["on", "off"] = setting(
        "DUNNING_BREAKER",
        "`on`: a surge of failures holds mails and revocations back, and revocations are capped. `off`: "
        "neither; what somebody trips by hand still holds.",
        default="on",
        example="on",
        cure="Write on or off.",
    )
    surge_floor: int = setting(
        "DUNNING_SURGE_FLOOR",
        "So many failed charges in an hour are no surge yet, and fewer are not judged at all.",
        default=20,
        example="20",
        cure="Give a number of 1 or more.",
        ge=1,
    )
    surge_factor: float = setting(
        "DUNNING_SURGE_FACTOR",
        "More failures in an hour than this many times the usual hour, the mean of seven days, are a surge.",
        default=4.0,
        example="4",
        cure="Give a number of 1 or more.",
        ge=1,
    )
    processing_error_share: float = setting(
        "DUNNING_PROCESSING_ERROR_SHARE",
        "A larger share of processing errors among the failures of an hour is an outage, not customers.",
        default=0.3,
        example="0.3",
        cure="Give a share: more than 0, and 1 at most.",
        gt=0,
        le=1,
    )
    revocations_per_hour: int = setting(
        "DUNNING_REVOCATIONS_PER_HOUR",
        "Customers whose access is taken in any hour, at most; the others keep it for now. 0: no cap, by the "
        "hour or the day.",
        default=25,
        example="25",
        cure="Give a number, 0 for no cap.",
        ge=0,
    )
    revocations_per_day_share: float = setting(
        "DUNNING_REVOCATIONS_PER_DAY_SHARE",
        "The same in any day, as a share of the customers who have access; never fewer than an hour's.",
        default=0.02,
        example="0.02",
        cure="Give a share: more than 0, and 1 at most.",
        gt=0,
        le=1,
    )
