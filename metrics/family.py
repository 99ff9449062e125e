"""What a metric is called and means. Imports next to nothing: the receiver reads it."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. `about` also says its unit and, where it is not plain, what its labels may be."""

    name: str
    kind: Kind
    about: str
    labels: tuple[str, ...] = ()
