"""What people do and say in a story, by name: (name, how many days or which invoice)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from dunning.account import Account, Case
from dunning.instructions import Instruction, Verb
from sandbox.stripe import Card
from sandbox.stripe.errors import ApiError
from tests.dunning.stories import DAY, Story

Action = tuple[str, float]


def act(story: Story, action: Action) -> None:
    """Do it, unless Stripe refuses."""
    name, amount = action
    try:
        ACTIONS[name](story, amount)
    except ApiError:
        return


ACTIONS: dict[str, Callable[[Story, float], object]] = {
    "wait": lambda story, days: story.wait(days),
    "good card": lambda story, _: story.engine.save_card(story.customer, Card()),
    "empty card": lambda story, _: story.engine.save_card(
        story.customer, Card(outcomes=("insufficient_funds",))
    ),
    "stolen card": lambda story, _: story.engine.save_card(story.customer, Card(outcomes=("stolen_card",))),
    "try by hand": lambda story, which: story.on_unpaid(which, story.engine.pay_invoice),
    "pay by hand": lambda story, which: story.on_unpaid(
        which, lambda invoice: story.engine.pay_invoice(invoice, card=Card())
    ),
    "pay by transfer": lambda story, which: story.on_unpaid(which, story.engine.pay_out_of_band),
    "void": lambda story, which: story.on_unpaid(which, story.engine.void_invoice),
    "write off": lambda story, which: story.on_unpaid(which, story.engine.write_off),
    "cancel": lambda story, _: story.engine.cancel(story.subscriptions[0]),
    "cancel later": lambda story, _: story.engine.cancel(story.subscriptions[0], at_period_end=True),
    "keep": lambda story, _: story.engine.keep(story.subscriptions[0]),
    "resume": lambda story, _: story.engine.resume(story.subscriptions[0]),
    "buy again": lambda story, _: story.buy_again(),
    "move": lambda story, _: story.move(),
    "delete": lambda story, _: story.engine.delete_customer(story.customer),
}


# What the team says: (verb, of the whole customer).
SAYINGS: dict[str, tuple[Verb, bool]] = {
    "stop": (Verb.STOP, False),
    "pause": (Verb.PAUSE, False),
    "hand over": (Verb.HAND_OVER, False),
    "extend": (Verb.EXTEND, False),
    "forgive": (Verb.FORGIVE, False),
    "promise": (Verb.PROMISE, False),
    "acknowledge": (Verb.ACKNOWLEDGE, False),
    "go on": (Verb.RESUME, False),
    "stop all": (Verb.STOP, True),
    "pause all": (Verb.PAUSE, True),
    "exclude": (Verb.EXCLUDE, True),
    "go on with all": (Verb.RESUME, True),
    "address works": (Verb.ADDRESS_WORKS, True),
}


def instruction(account: Account, now: datetime, action: Action) -> Instruction | None:
    """What somebody says of the oldest open case (of the newest: from 2 on), or None if there is none."""
    name, amount = action
    verb, of_all = SAYINGS[name]
    cases: Iterator[Case] = account.open_cases()
    about = [case.invoice for case in cases]
    if not about:
        return None
    return Instruction(
        verb,
        now,
        by="the team",
        why="they know why",
        case=None if of_all else about[0 if amount < 2 else -1],
        until=now + (1 + 2 * amount) * DAY if verb in (Verb.PAUSE, Verb.PROMISE) else None,
        span=timedelta(days=7) if verb is Verb.EXTEND else None,
        to="a colleague" if verb is Verb.HAND_OVER else None,
    )
