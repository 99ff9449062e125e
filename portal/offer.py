"""What the page offers, in the order in which it is shown."""

from __future__ import annotations

from portal.actions import Action
from portal.actions.come_back import COME_BACK
from portal.actions.confirm import CONFIRM
from portal.actions.method import METHOD
from portal.actions.payer import CONFIRM_PAYER, NAME_PAYER
from portal.actions.promise import PROMISE
from portal.actions.retry import RETRY, SETTLE

# Each of these asks the provider.
AT_THE_PROVIDER: tuple[Action, ...] = (SETTLE, COME_BACK, CONFIRM, RETRY, METHOD)
BY_OURSELVES: tuple[Action, ...] = (CONFIRM_PAYER, PROMISE, NAME_PAYER)


def offer(*, provider: bool) -> tuple[Action, ...]:
    """All that can be done here. Without a `provider` to ask, only what needs none."""
    return (*AT_THE_PROVIDER, *BY_OURSELVES) if provider else BY_OURSELVES
