"""What rules and codes mean, for a person of the team. English; every value of each enumeration has words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dunning.access import Level, Reason
from dunning.account import Outcome
from dunning.declines import Category
from dunning.instructions import Verb
from dunning.results import Result
from dunning.rules.resending import repeated_step
from dunning.steps import RESENT, first_key

CATEGORIES: Final[Mapping[str, str]] = {
    Category.INSUFFICIENT_FUNDS: "there was not enough money",
    Category.EXPIRED_CARD: "the card has expired",
    Category.AUTHENTICATION_REQUIRED: "the bank wants the customer to confirm the payment",
    Category.INCORRECT_DETAILS: "the card's details are wrong",
    Category.CARD_NOT_SUPPORTED: "the card does not take this kind of payment",
    Category.PROCESSING_ERROR: "a technical fault on the way to the bank, which usually passes",
    Category.BANK_DECLINED: "the bank declined without saying more",
    Category.NO_PAYMENT_METHOD: "there is no payment method that may be charged",
    Category.BANK_DEBIT_FAILED: "the bank returned the debit",
    Category.MASKED: (
        "lost, stolen, blocked or suspected of fraud (never tell the customer so: say the bank declined)"
    ),
    Category.FRAUD: (
        "the bank called it fraud, or our own list blocked it (the customer hears nothing of it from us)"
    ),
    Category.CONSENT_WITHDRAWN: "the customer told their bank to stop this payment",
    Category.MERCHANT_SIDE: "the fault is in our own configuration",
    Category.UNKNOWN: "no reason was given, or none that is known here",
}

LEVELS: Final[Mapping[str, str]] = {
    Level.FULL: "full access",
    Level.WARNED: "full access, with a warning",
    Level.LIMITED: "limited access",
    Level.REVOKED: "no access",
}

REASONS: Final[Mapping[str, str]] = {
    Reason.GOOD_STANDING: "everything is paid",
    Reason.TRIAL: "a trial is running",
    Reason.CANCELS_AT_PERIOD_END: "the customer has cancelled and keeps what is paid for",
    Reason.PAYMENT_FAILED: "a renewal could not be charged and the grace period is running",
    Reason.PAST_DUE: "the provider calls the subscription past due",
    Reason.GRACE_EXPIRED: "the grace period ended without a payment",
    Reason.UNPAID: "the provider gave up collecting and marked the subscription unpaid",
    Reason.WRITTEN_OFF: "the debt was written off, which is not a payment",
    Reason.CANCELED: "the subscription was cancelled",
    Reason.CANCELED_FOR_NONPAYMENT: "the provider cancelled the subscription because nobody paid",
    Reason.PAUSED: "the subscription is paused",
    Reason.PAUSED_FOR_NONPAYMENT: "the provider paused the subscription because nobody paid",
    Reason.FIRST_PAYMENT_INCOMPLETE: "the first payment was never completed",
    Reason.CUSTOMER_DELETED: "the customer was deleted at the provider",
    Reason.NO_SUBSCRIPTION: "no subscription is known",
    Reason.UNKNOWN_STATUS: "the subscription has a status nobody knows, and nobody is locked out for that",
}

OUTCOMES: Final[Mapping[str, str]] = {
    Outcome.RECOVERED: "it was paid",
    Outcome.FORGIVEN: "the debt was forgiven",
    Outcome.CREDITED: "it was settled without money",
    Outcome.VOIDED: "the invoice was voided",
    Outcome.WRITTEN_OFF: "the invoice was written off",
    Outcome.ENDED: "the subscription ended",
    Outcome.PAID_AFTER_END: "it was paid after the subscription had ended",
}

# What became of a sending.
STATUSES: Final[Mapping[str, str]] = {
    "pending": "waits to be sent",
    "sending": "is being sent",
    "sent": "accepted",
    "suppressed": "dropped",
    "failed": "could not be delivered",
    "unknown": "may have arrived, so it is not repeated",
}

# What became of a mail that was accepted; in the order of their weight.
RESULTS: Final[Mapping[Result, str]] = {
    Result.HARD_BOUNCE: "but it came back",
    Result.COMPLAINT: "but its reader called it spam or wants no more",
    Result.UNDELIVERED: "but the mail service did not send it",
    Result.SOFT_BOUNCE: "but it did not arrive",
    Result.DELIVERED: "and delivered",
    Result.DELAYED: "and still on its way",
}

CHANNELS: Final[Mapping[str, str]] = {
    "mail": "the mail server",
    "chat": "the team's chat",
    "none": "nobody",
    "provider": "the provider",
}

_ALARMS: Final[Mapping[str, str]] = {
    "attempts": "charges keep failing",
    "undeliverable": "a mail could not be delivered",
    "unreachable": "mails to the customer come back",
    "merchant_side": "our configuration is at fault",
    "consent_withdrawn": "the customer stopped the payment",
    "fraud": "it may be fraud",
    "unwarned": "grace is over without a warning",
    "high_value": "a valuable invoice has failed",
    "blocked": "nobody charges again by themselves",
    "unresolved": "open for too long",
    "last_call": "access ends soon",
    "promise_broken": "a promise was broken",
    "reminder": "nobody has seen the last call",
    "paid_after_end": "paid after the end",
    "paid_but_stopped": "paid, but still stopped",
    "bought_twice": "two subscriptions run in place of one",
    "void_unconfirmed": "the provider did not confirm that old invoices are voided",
    "end_unconfirmed": "the provider did not confirm the end of the subscription",
    "charge_unconfirmed": "the provider did not say what came of a charge of our own",
}

_STEPS: Final[Mapping[str, str]] = {
    "payment_failed": "Mail {detail} about the open payment",
    "first_payment": "Mail {detail} about the first payment",
    "final_warning": "Final warning, {hours} h before the end",
    "restriction": "Access limited",
    "access": "Access revoked",
    "access_ended": "Mail that access has ended",
    "recovered": "Receipt for the late payment",
    "payer_confirmation": "Mail that asks whether somebody else pays",
    "payer_link": "Link to the page, to whoever pays",
    "fresh_link": "New link to the page, which was asked for",
    "retry": "Charge {detail} of our own",
    "card_expiring": "Mail that the card expires, {ahead} the charge",
    "renewal_notice": "Mail that the plan renews, {ahead} the renewal",
    "escalation": "Call to the team ({alarm})",
}

# Where the last part of the key says more than a number.
_PARTICULAR: Final[Mapping[tuple[str, str], str]] = {
    ("payment_failed", "new_reason"): "Mail that only the customer can mend it now",
    ("access", Level.LIMITED): "Access limited",
    ("end", "cancel"): "Subscription cancelled at the provider",
    ("end", "unpaid"): "Subscription marked unpaid at the provider",
    ("end", "pause"): "Subscription paused at the provider",
    ("end", "void"): "Old invoices voided at the provider",
}


def step_title(key: str) -> str:
    """What a step's key stands for: `final_warning:in_1:72h` is "Final warning, 72 h before the end"."""
    if (first := first_key(key)) != key:
        return f"{step_title(first)}, once more"
    name, _, rest = key.partition(":")
    if name == RESENT:
        return f"{step_title(repeated_step(key))}, sent again"
    detail = rest.rpartition(":")[2]
    title = _PARTICULAR.get((name, detail)) or _asked(name, rest) or _STEPS.get(name)
    if title is None:
        return key
    return title.format(
        detail=detail,
        hours=detail.removesuffix("h"),
        ahead=_ahead(detail),
        alarm=_alarm(rest.partition(":")[2]),
    )


def _asked(name: str, about: str) -> str | None:
    """`retry:in_1:asked:...` and `retry:in_1:method:...` are named by what they are for."""
    return {
        ("retry", "asked"): "Charge that the customer asked for",
        ("retry", "method"): "Charge of a new payment method",
    }.get((name, about.split(":")[-2] if about.count(":") > 1 else ""))


def _ahead(detail: str) -> str:
    days = detail.removesuffix("d")
    return "1 day before" if days == "1" else f"{days} days before"


def _alarm(about: str) -> str:
    """`promise_broken:2026-03-10` and `reminder:2` say which one."""
    name, _, which = about.partition(":")
    words = _ALARMS.get(name, name)
    if name == "promise_broken" and which:
        return f"{words}: {which}"
    return f"{words}, reminder {which}" if name == "reminder" and which else words


def instruction_title(verb: str) -> str:
    """What a person has said, as something that was done: "stop" is "Stopped"."""
    return _INSTRUCTIONS.get(verb, verb)


_INSTRUCTIONS: Final[Mapping[str, str]] = {
    Verb.STOP: "Stopped",
    Verb.PAUSE: "Paused",
    Verb.EXCLUDE: "Customer excluded from dunning",
    Verb.RESUME: "Resumed",
    Verb.EXTEND: "Extended",
    Verb.FORGIVE: "Debt forgiven",
    Verb.HAND_OVER: "Handed over",
    Verb.PROMISE: "Promise to pay noted",
    Verb.ACKNOWLEDGE: "Calls acknowledged",
    Verb.NAME_PAYER: "Somebody else named as the one who pays",
    Verb.CONFIRM_PAYER: "Somebody else confirmed as the one who pays",
    Verb.ADDRESS_WORKS: "Mails may go again to where some came back from",
    Verb.FORGET: "Customer forgotten",
    Verb.REMEMBER: "Customer no longer to be forgotten",
}


def journal_title(kind: str) -> str:
    """A journal entry's kind in words; an unknown kind stands for itself."""
    family, _, verb = kind.partition(".")
    if family == "instruction":
        return instruction_title(verb)
    return {
        "case.opened": "Case opened",
        "case.closed": "Case closed",
        "case.taken_over": "Case taken over",
        "case.reopened": "Case reopened",
        "mail.decided": "Mail decided",
        "mail.asked": "Mail to be sent again",
        "mail.sent": "Mail accepted by the mail server",
        "mail.failed": "Mail could not be delivered",
        "mail.unknown": "Mail may have arrived",
        "mail.suppressed": "Mail dropped",
        "mail.bounced": "Mail came back",
        "mail.undelivered": "Mail did not arrive",
        "mail.delayed": "Mail is late",
        "team.bounced": "Mail to the team came back",
        "team.undelivered": "Mail to the team did not arrive",
        "team.delayed": "Mail to the team is late",
        "team.called": "Team called",
        "chat.sent": "Chat message accepted",
        "chat.failed": "Chat message refused",
        "chat.unknown": "Chat message may have arrived",
        "chat.suppressed": "Chat message dropped",
        "channel.sent": "Call taken by a channel of the team",
        "channel.failed": "Call not taken by a channel of the team",
        "channel.unknown": "Call may have reached a channel of the team",
        "channel.suppressed": "Call by a channel of the team dropped",
        "access.changed": "Access changed",
        "access.taken": "Access taken",
        "access.kept": "Access kept",
        "access.returned": "Access given back",
        "retry.decided": "Charge decided",
        "end.decided": "End of the subscription decided",
        "policy.moved": "Moved to another policy",
        "provider.sent": "Done at the provider",
        "provider.failed": "Refused by the provider",
        "provider.unknown": "May have been done at the provider",
        "provider.suppressed": "Dropped before the provider was asked",
        "event.applied": "Heard",
        "link.made": "Link to the page made",
        "link.revoked": "Links to the page revoked",
        "link.asked": "New link asked for on the page",
        "retry.asked": "Charge asked for on the page",
        "return.asked": "Went from the page to start again",
    }.get(kind, kind)
