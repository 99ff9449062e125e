"""A world of the scenarios on a test's own database, for tests that look at it from outside."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from dunning.policy import Policy
from sandbox.inbox import Inbox
from sandbox.stripe import custom_schedule, simulated_stripe
from tests.scenarios.world import START, Stage, World


@contextmanager
def world_on(database_url: str, inbox: Inbox, **options: Any) -> Iterator[World]:
    """The world with the default policy; Stripe retries on days 3, 8 and 15 and then cancels."""
    with (
        closing(Stage(database_url)) as stage,
        simulated_stripe(now=START, policy=custom_schedule(3, 5, 7)) as stripe,
        closing(World(stage, stripe, inbox, **({"policy": Policy()} | options))) as world,
    ):
        yield world


def settings_of(world: World, database_url: str) -> dict[str, str]:
    """By which a command finds the world's database and its Stripe."""
    return {
        "DATABASE_URL": database_url,
        "STRIPE_API_KEY": world.stripe.api_key,
        "STRIPE_API_BASE": world.stripe.url,
        "DUNNING_LIVEMODE": "false",
    }
