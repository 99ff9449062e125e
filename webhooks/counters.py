"""What the receiver has done since it started."""

from collections import Counter
from dataclasses import dataclass, field, fields


@dataclass(slots=True)
class Counters:
    """Plain numbers, changed by the event loop's thread alone."""

    accepted: int = 0
    """Events stored for a worker."""
    duplicate: int = 0
    """Events that were there already."""
    ignored: int = 0
    """Events stored without a payload, because nobody handles their type."""
    wrong_mode: int = 0
    """Live events sent to a test receiver, or test events to a live one; stored as ignored."""
    heard: Counter[str] = field(default_factory=Counter)
    """All of these, by who sent them."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Requests refused for what they are, by reason."""
    unavailable: Counter[str] = field(default_factory=Counter)
    """Requests answered 503, by reason."""

    def snapshot(self) -> dict[str, object]:
        """A copy as plain JSON values."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return values | {
            "heard": dict(self.heard),
            "rejected": dict(self.rejected),
            "unavailable": dict(self.unavailable),
        }
