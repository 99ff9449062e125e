"""What `dunning up --sandbox` adds where nothing is set: a simulated Stripe, a local inbox, a merchant."""

import secrets
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sandbox import merchant
from sandbox.demo.cast import Role, cast
from sandbox.demo.days import MORNING
from sandbox.demo.players import moment_on
from sandbox.demo.stories import STORIES
from sandbox.inbox import Inbox, mail_inbox
from sandbox.mail_service import SECRET, MailService
from sandbox.stripe import SimulatedStripe, simulated_stripe

WEBHOOK_SECRET = "whsec_test_sandbox"  # noqa: S105  signs simulated events only
CUSTOMERS = ("Rhea Tryagain", "Penny Payday", "Wanda Wallet")


@dataclass(frozen=True, slots=True)
class Supplies:
    """`environment` names what was supplied; `stripe` and `inbox` are None where real ones are set."""

    environment: Mapping[str, str]
    stripe: SimulatedStripe | None
    inbox: Inbox | None


def supply(stack: ExitStack, given: Mapping[str, str], mails: Path) -> Supplies:
    """Start what is not `given`; it ends with the stack. Mails are kept in the directory `mails`.

    Whoever pays at a simulated Stripe is simulated too, so their mails never go to a real mail server.
    """
    environment = {name: value for name, value in merchant.SETTINGS.items() if name not in given}
    if "DUNNING_API_KEYS" not in given:
        environment["DUNNING_API_KEYS"] = f"test-key-{secrets.token_hex(8)}"
    stripe = inbox = None
    if "STRIPE_API_KEY" not in given:
        # Another seed each time: ids of an earlier start must not come back as other customers.
        stripe = stack.enter_context(simulated_stripe(seed=secrets.randbits(32)))
        environment |= {
            "STRIPE_API_KEY": stripe.api_key,
            "STRIPE_API_BASE": stripe.url,
            "STRIPE_WEBHOOK_SECRETS": WEBHOOK_SECRET,
            "DUNNING_LIVEMODE": "false",
        }
    if stripe is not None or "SMTP_URL" not in given:
        inbox = stack.enter_context(mail_inbox(mails, clock_header="Date"))
        environment["SMTP_URL"] = inbox.url
        if "RESEND_WEBHOOK_SECRETS" not in given:
            environment |= {"RESEND_WEBHOOK_SECRETS": SECRET, "DUNNING_MAIL_SERVICE": "resend"}
    return Supplies(environment, stripe, inbox)


def open_for_business(stripe: SimulatedStripe, webhook_url: str, *, thin: bool = False) -> list[Role]:
    """Send webhooks, and let the renewals of three customers fail on a test clock they share."""
    stripe.add_endpoint(webhook_url, WEBHOOK_SECRET, thin=thin)
    roles = cast(stripe.engine, [story for story in STORIES if story.name in CUSTOMERS])
    clock = roles[0].clock
    stripe.engine.advance(clock.record, moment_on(clock, 0, MORNING))
    return roles


def tell_of_mails(stack: ExitStack, supplies: Supplies, url: str) -> None:
    """Have the simulated mail service say there what becomes of mails, until the stack ends."""
    if supplies.inbox and "RESEND_WEBHOOK_SECRETS" in supplies.environment:
        stack.enter_context(MailService(supplies.inbox, url).running())


def shop_command(port: int, api_url: str, roles: Sequence[Role]) -> list[str]:
    """The command line of the merchant's application for these customers."""
    people = [f"{role.customer.id}={role.story.name}" for role in roles]
    return [sys.executable, "-P", "-m", "sandbox.shop", "--port", str(port), "--api", api_url, *people]


def days_later(stripe: SimulatedStripe, role: Role, days: int) -> str:
    """A command for a shell that moves the customer's test clock."""
    clock = stripe.engine.refresh(role.clock.record)
    to = clock.frozen_time + int(timedelta(days=days).total_seconds())
    return (
        f"curl -H 'Authorization: Bearer {stripe.api_key}' -d frozen_time={to} "
        f"{stripe.url}/v1/test_helpers/test_clocks/{clock.id}/advance"
    )
