"""Billing systems whose customers live on a test clock of ours: a month can be rehearsed in minutes."""

from pydantic import ValidationInfo, field_validator

from settings.connections import Mode
from settings.field import Names, setting


class Rehearsal(Mode):
    """Stripe has test clocks of its own; others have none."""

    test_clocks: Names = setting(
        "DUNNING_TEST_CLOCKS",
        "The sources, with commas between them, whose customers live on a test clock, which `dunning clock` "
        "moves: a month can be rehearsed in minutes. In test mode only. See docs/providers.md.",
        default=(),
        example="acme",
        cure="Write names of sources, or leave it empty.",
    )

    @field_validator("test_clocks")
    @classmethod
    def _not_live(cls, sources: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if sources and info.data.get("livemode"):
            raise ValueError("is for test mode, but DUNNING_LIVEMODE is true, which it is when it is not set")
        return sources
