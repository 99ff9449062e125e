"""How patient the dunning is: grace, warnings, escalation."""

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from settings.field import Commas, Settings, setting

# Hours. A rule that no policy breaks (`dunning.policy.WARNED_BEFORE`).
WARNED_AT_LEAST = 72


class Policy(Settings):
    """How patient the dunning is: figures for everybody, or a policy file that replaces all of them."""

    policy_file: Path | None = setting(
        "DUNNING_POLICY_FILE",
        "A policy file (TOML) with segments, which then replaces the other settings of this group. "
        "docs/policy.md describes it; `dunning policy check` reads it.",
        default=None,
        example="/etc/dunning/policy.toml",
        cure="Give the path of a readable file, or leave it empty.",
    )

    grace_days: int = setting(
        "DUNNING_GRACE_DAYS",
        "Days of unchanged access after the first failed payment. Stamped once per case, never moved.",
        default=14,
        example="14",
        cure="Give a number of days from 1 to 90.",
        ge=1,
        le=90,
    )
    escalate_after: int = setting(
        "DUNNING_ESCALATE_AFTER",
        "The number of failed charges after which your team is told, once per case.",
        default=3,
        example="3",
        cure="Give a number from 1 to 20.",
        ge=1,
        le=20,
    )
    at_expiry: Literal["revoked", "limited"] = setting(
        "DUNNING_AT_EXPIRY",
        "What becomes of access when the grace ends unpaid: `revoked` or `limited`.",
        default="revoked",
        example="limited",
        cure="Write revoked or limited.",
    )
    mail_gap_hours: int = setting(
        "DUNNING_MAIL_GAP_HOURS",
        "Hours between two mails to the same person. "
        "The first mail, final warnings and receipts do not wait.",
        default=48,
        example="48",
        cure="Give a number of hours from 0 to 336.",
        ge=0,
        le=336,
    )
    final_warning_hours: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1), Commas] = (
        setting(
            "DUNNING_FINAL_WARNING_HOURS",
            "Hours before the end of the grace at which a final warning goes out, with commas between them.",
            default="72,24",
            example="72,24",
            cure="Give whole hours, the longest first, all within the grace.",
        )
    )

    @field_validator("final_warning_hours")
    @classmethod
    def _within_grace(cls, hours: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if any(earlier <= later for earlier, later in pairwise(hours)):
            raise ValueError("must go from the longest to the shortest")
        if hours[0] < WARNED_AT_LEAST:
            raise ValueError("must start with 72 or more: nobody loses access without three days' warning")
        grace_days = info.data.get("grace_days")
        if grace_days is not None and hours[0] >= grace_days * 24:
            raise ValueError(f"starts before the grace of {grace_days} days (DUNNING_GRACE_DAYS) does")
        return hours
