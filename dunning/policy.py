"""How patient we are: every number a rule reads, validated, with the defaults most teams start from."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dunning.durations import span

if TYPE_CHECKING:
    from dunning.account import Account, Case, Invoice


def _positive(span: timedelta) -> timedelta:
    if span <= timedelta(0):
        raise ValueError("must be longer than nothing")
    return span


Span = Annotated[timedelta, BeforeValidator(span), AfterValidator(_positive)]

# Never broken by any policy: our own deadline needs a final warning accepted this long before.
WARNED_BEFORE = timedelta(hours=72)


class Policy(BaseModel):
    """The rules of one dunning case, as plain numbers; spans like "14d" when read from text.

    `key` names it: the version of its file and the segment. A single policy is a
    `dunning.segments.PolicySource` too: the same for everybody who gets a case now. Raises pydantic's
    ValidationError for anything that cannot be meant.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = "settings"
    grace: Span = Field(
        default=timedelta(days=14), description="Access is kept this long after the first failure."
    )
    final_warnings: tuple[Span, ...] = Field(
        default=(timedelta(hours=72), timedelta(hours=24)),
        min_length=1,
        description="How long before the end of access the customer is warned, longest first.",
    )
    escalate_after: int = Field(
        default=3, ge=1, description="Charges that really failed before a human is called."
    )
    at_expiry: Literal["limited", "revoked"] = Field(
        default="revoked", description="What access becomes when grace ends."
    )
    mail_gap: Annotated[timedelta, BeforeValidator(span), Field(ge=timedelta(0))] = Field(
        default=timedelta(hours=48), description="At most one ordinary mail per person in this time."
    )
    transient_silence: Span = Field(
        default=timedelta(hours=48), description="A processing error is not mentioned for this long."
    )
    receipt_within: Span = Field(
        default=timedelta(days=7),
        description="A receipt for a recovery older than this is not sent any more.",
    )

    @model_validator(mode="after")
    def _first_warning_leaves_time(self) -> Self:
        if list(self.final_warnings) != sorted(set(self.final_warnings), reverse=True):
            raise ValueError(
                "final_warnings must get shorter: each warning is closer to the end than the last"
            )
        if self.final_warnings[0] < WARNED_BEFORE:
            raise ValueError("the first final warning must come at least 72 hours before access ends")
        return self

    def of(self, case: Case) -> Policy:
        """The policy the case was opened with, if it remembers one; else this."""
        return case.policy or self

    def choose(self, account: Account, invoice: Invoice) -> Policy:
        """This policy, whoever it is."""
        return self
