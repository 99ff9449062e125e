"""What a customer can do on their page: one file an action, and here the list of them.

An action is a name (the last part of the address its form is sent to), a template in `templates/actions/`
with the fields and the button of its form, a test whether it suits a case, and what it does. The page shows
the form of each action that suits, in this order; without any it leads to the merchant's own billing page.

By the time `run` is called the form is bound to its link, the link opens its page, the limits are kept, and
`suits` has been asked again. What `run` returns is shown at once, or is where the customer is sent, which
must be at one of the origins in `targets`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from portal.door import Behind
from portal.facts import Facts
from portal.forms import Form
from worker.services import Services


@dataclass(frozen=True, slots=True)
class Shown:
    """The customer's page as it is now, below a sentence about what was done, in their language."""

    notice: str


@dataclass(frozen=True, slots=True)
class Leave:
    """On to a page of somebody else, such as the provider's (303)."""

    url: str


Answer = Shown | Leave


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a customer can do. `targets` are the origins that `run` may send them to.

    `run` gets the services, what stands behind the link, and the form.
    """

    name: str
    suits: Callable[[Facts], bool]
    run: Callable[[Services, Behind, Form], Awaitable[Answer]]
    targets: frozenset[str] = frozenset()

    @property
    def template(self) -> str:
        """The fields and the button of its form."""
        return f"actions/{self.name}.html"

    def may_lead_to(self, url: str) -> bool:
        """Whether a customer may be sent there."""
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}" in self.targets


ACTIONS: tuple[Action, ...] = ()
