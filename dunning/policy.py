"""How patient we are: every number a rule reads, validated, with the defaults most teams start from."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dunning.durations import span, span_or
from dunning.hours import HoursField, parse_hours
from dunning.ladders import Ladder, RetrySchedule, Rungs, Wait
from dunning.zonenames import zone

if TYPE_CHECKING:
    from dunning.account import Account, Case, Invoice


def _positive(span: timedelta) -> timedelta:
    if span <= timedelta(0):
        raise ValueError("must be longer than nothing")
    return span


def _or_never(value: object) -> object:
    return None if value in (None, "never") else span_or("never", value)


def _known_zone(name: str) -> str:
    if zone(name) is None:
        raise ValueError('is no time zone; write a name such as "Europe/Berlin" or "UTC"')
    return name


Span = Annotated[timedelta, BeforeValidator(span), AfterValidator(_positive)]
SpanOrNever = Annotated[Span | None, BeforeValidator(_or_never)]
Zone = Annotated[str, AfterValidator(_known_zone)]

# How long before something; the longest first, however it was written.
Before = Annotated[tuple[Span, ...], AfterValidator(lambda spans: tuple(sorted(set(spans), reverse=True)))]

# Never broken by any policy: our own deadline needs a final warning accepted this long before.
WARNED_BEFORE = timedelta(hours=72)
A_DAY = timedelta(days=1)


class Policy(BaseModel):
    """The rules of one dunning case, as plain numbers; spans like "14d" when read from text.

    `key` names it: the version of its file and the segment. A single policy is a
    `dunning.segments.PolicySource` too: the same for everybody who gets a case now. Raises pydantic's
    ValidationError for anything that cannot be meant.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = "settings"

    grace: Span = Field(default=14 * A_DAY, description="Access is kept this long after the failure.")
    grace_from: Literal["first_failure", "final_failure"] = Field(
        default="first_failure",
        description="Which failure: the first, or the last charge of the provider's own schedule.",
    )
    limited_after: SpanOrNever = Field(
        default=10 * A_DAY,
        description='Access is limited this long after the first failure, before it ends; or "never".',
    )
    at_expiry: Literal["limited", "revoked"] = Field(
        default="revoked", description="What access becomes when grace ends."
    )
    end_action: Literal["none", "cancel", "unpaid", "pause"] = Field(
        default="none", description="What is done at the provider when grace has ended."
    )
    revocation_hours: HoursField = Field(
        default=parse_hours("mon-thu 09:00-15:00"),
        description="When access may be limited or taken, in the merchant's time zone.",
    )
    time_zone: Zone = Field(default="UTC", description="The merchant's own time zone.")
    holidays: frozenset[date] = Field(
        default=frozenset(), description="Days on which nobody works: no mail, no revocation."
    )

    final_warnings: tuple[Span, ...] = Field(
        default=(timedelta(hours=72), timedelta(hours=24)),
        min_length=1,
        description="How long before the end of access the customer is warned, longest first.",
    )
    ladder: Ladder = Field(default=Ladder(), description="When each kind of failure is told.")
    first_payment_mails: Rungs = Field(
        default=(timedelta(minutes=15), timedelta(hours=4), timedelta(hours=18)),
        description="When a first payment that is not complete is told.",
    )
    mail_gap: Wait = Field(
        default=timedelta(hours=48), description="At most one ordinary mail per person in this time."
    )
    most_mails: int = Field(default=6, ge=2, description="At most so many mails in a case, receipts apart.")
    mail_hours: HoursField = Field(
        default=parse_hours("daily 09:00-20:00"),
        description="When ordinary mails may arrive, in the customer's time zone.",
    )
    receipt_within: Span = Field(
        default=7 * A_DAY, description="A receipt for a recovery older than this is not sent any more."
    )
    card_expiry_notice: Before = Field(
        default=(14 * A_DAY,), description="How long before a charge an expiring card is told; none: never."
    )
    renewal_notice: Before = Field(
        default=(14 * A_DAY,), description="How long before it an annual renewal is told; none: never."
    )

    escalate_after: int = Field(
        default=3, ge=1, description="Charges that really failed before a human is called."
    )
    unresolved_after: SpanOrNever = Field(
        default=7 * A_DAY, description="A human is called when a case is open for this long."
    )
    blocked_after: SpanOrNever = Field(
        default=3 * A_DAY, description="The same where the code forbids the provider to charge again."
    )
    last_call: SpanOrNever = Field(
        default=timedelta(hours=72), description="A human is called this long before access ends."
    )
    high_value: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default={"usd": 50_000, "eur": 50_000, "gbp": 50_000},
        description="From this amount on (minor unit, by currency) a human is called at the first failure.",
    )
    annual_is_high_value: bool = Field(default=True, description="An annual renewal counts as one.")
    acknowledge_high_value: bool = Field(
        default=True, description="For high value a human must have seen it before access is taken."
    )
    remind_after: int = Field(
        default=3, ge=1, description="Working days after which a call that nobody has seen is repeated."
    )
    most_reminders: int = Field(default=1, ge=0, description="How often it is repeated.")

    unpaid_on_return: Literal["keep", "void"] = Field(
        default="keep",
        description="What becomes of what was left unpaid once a customer has come back and paid.",
    )

    promise_within: SpanOrNever = Field(
        default=10 * A_DAY, description='How far ahead a customer may promise to pay; or "never".'
    )
    extension: Span = Field(default=7 * A_DAY, description="How much a person may extend a case, once.")

    retries: Literal["provider", "worker"] = Field(
        default="provider", description="Who charges again: the billing system, or this program."
    )
    pay_on_new_method: bool = Field(
        default=False,
        description="Charge an open invoice at once when the customer gives a new payment method.",
    )
    retry: RetrySchedule = Field(default=RetrySchedule(), description="When this program charges again.")

    @model_validator(mode="after")
    def _first_warning_leaves_time(self) -> Self:
        if list(self.final_warnings) != sorted(set(self.final_warnings), reverse=True):
            raise ValueError(
                "final_warnings must get shorter: each warning is closer to the end than the last"
            )
        if self.final_warnings[0] < WARNED_BEFORE:
            raise ValueError("the first final warning must come at least 72 hours before access ends")
        if self.most_mails < len(self.final_warnings) + 2:
            raise ValueError("most_mails must leave room for a notice beside the final warnings and the end")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The merchant's."""
        return zone(self.time_zone) or ZoneInfo(self.time_zone)

    def of(self, case: Case) -> Policy:
        """The policy the case was opened with, if it remembers one; else this."""
        return case.policy or self

    def choose(self, account: Account, invoice: Invoice) -> Policy:
        """This policy, whoever it is."""
        return self
