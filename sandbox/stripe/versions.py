"""API versions: the same object looks different to different readers."""

import re
from dataclasses import dataclass

OLD = "2025-02-24.acacia"
NEW = "2026-10-28.endive"

# Invoices lose their links to subscription, intent and charge; periods move to the subscription's items.
_BASIL = "2025-03-31"
# Adds `status_details`, `amount_paid_off_stripe` and the automatic pause.
_ENDIVE = "2026-09-30"

_FORM = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """A version such as `2026-10-28.endive`; raises ValueError for anything else."""

    name: str

    def __post_init__(self) -> None:
        if not _FORM.fullmatch(self.name):
            raise ValueError(f"Invalid Stripe API version: {self.name}")

    @property
    def basil(self) -> bool:
        """Whether it has the shapes introduced on 2025-03-31."""
        return self.name[:10] >= _BASIL

    @property
    def endive(self) -> bool:
        """Whether it has the fields introduced on 2026-09-30."""
        return self.name[:10] >= _ENDIVE
