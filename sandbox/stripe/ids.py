"""Object ids that look like Stripe's and are the same in every run with the same seed."""

from collections import Counter
from hashlib import sha256

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# Characters after the prefix, and what the first ones always are, as seen in Stripe's own examples.
_SHAPES = {
    "bps": ("1", 24),
    "ch": ("3", 24),
    "clock": ("1", 24),
    "cs": ("test_a1", 45),
    "cus": ("", 14),
    "evt": ("1", 24),
    "il": ("1", 24),
    "li": ("1", 24),
    "in": ("1", 24),
    "inpay": ("1", 24),
    "pi": ("3", 24),
    "pm": ("1", 24),
    "price": ("1", 24),
    "prod": ("", 14),
    "re": ("3", 24),
    "req": ("", 14),
    "seti": ("1", 24),
    "si": ("", 14),
    "sub": ("1", 24),
}


def _letters(seed: str, length: int) -> str:
    number = int.from_bytes(sha256(seed.encode()).digest())
    drawn = []
    for _ in range(length):
        number, index = divmod(number, len(_ALPHABET))
        drawn.append(_ALPHABET[index])
    return "".join(drawn)


class Ids:
    """Counts per prefix, so that one more customer does not change the id of the next invoice."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn: Counter[str] = Counter()

    def new(self, prefix: str) -> str:
        """The next id such as `in_1Q8x...`; raises KeyError for a prefix that Stripe does not have."""
        start, length = _SHAPES[prefix]
        self._drawn[prefix] += 1
        return (
            f"{prefix}_{start}{_letters(f'{self._seed}/{prefix}/{self._drawn[prefix]}', length - len(start))}"
        )


def derived(object_id: str, purpose: str, length: int = 24) -> str:
    """A token that always belongs to the same object, e.g. its client secret or its page's address."""
    return _letters(f"{object_id}/{purpose}", length)
