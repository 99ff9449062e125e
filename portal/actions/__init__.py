"""What a customer can do on their page: one file an action, and `portal.offer` lists them.

An action is a name (the last part of the address its form is sent to), a template in `templates/actions/`
with the fields and the button of its form, a test whether it suits a case, and what it does. The page shows
the form of each action that suits, in this order; without any it leads to the merchant's own billing page.

By the time `run` is called the form is bound to its link, the link opens its page, the limits are kept, and
`suits` has been asked again. What `run` returns is shown at once, or is where the customer is sent, which
must be one of the provider's own pages.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from starlette.exceptions import HTTPException

from dunning.abilities import Ability
from portal.door import Behind
from portal.facts import Facts
from portal.forms import Form
from portal.reading import facts
from providers.lookup import Gateway
from worker.services import Services

_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")


def seen_through(behind: Behind) -> Facts:
    """The facts behind a link; some of them are for its reader alone."""
    return facts(behind.context, made_by=behind.link.made_by)


@dataclass(frozen=True, slots=True)
class Shown:
    """The customer's page as it is now, below a sentence about what was done.

    `notice` names the sentence in `templates/notices.html`, or is None: the page says it all. `dates` are
    named in it, as the reader writes them.
    """

    notice: str | None = None
    dates: Mapping[str, date | None] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Leave:
    """On to a page of the provider's (303)."""

    url: str


Answer = Shown | Leave


@dataclass(frozen=True, slots=True)
class Asked:
    """What an action is handed. `page` is the address of the customer's page, to come back to."""

    services: Services
    behind: Behind
    form: Form
    page: str

    @property
    def gateway(self) -> Gateway:
        """The customer's billing system; KeyError where it cannot be asked, so that nothing was offered."""
        return self.services.gateways[self.behind.account.source]

    @property
    def seen(self) -> Facts:
        """What the page says."""
        return seen_through(self.behind)

    @property
    def nonce(self) -> str:
        """What the form has of its own, so that sending it twice is one click. Raises HTTPException 400."""
        found = self.form.get("click", "")
        if not _NONCE.fullmatch(found):
            raise HTTPException(400)
        return found


def reachable(actions: Iterable[Action], behind: Behind, gateways: Mapping[str, Gateway]) -> list[Action]:
    """Those that need nobody to be asked, and the others where the customer's billing system can be."""
    asked = behind.account.source in gateways
    return [each for each in actions if asked or each.needs is None]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a customer can do. `pays`: where none that does is offered, the page leads elsewhere to pay.

    `needs` is what the billing system must be able to do for it.

    `on_return`: its form is shown only to who comes back from a page of the provider's.
    """

    name: str
    suits: Callable[[Facts], bool]
    run: Callable[[Asked], Awaitable[Answer]]
    pays: bool = True
    on_return: bool = False
    needs: Ability | None = None

    @property
    def template(self) -> str:
        """The fields and the button of its form."""
        return f"actions/{self.name}.html"
