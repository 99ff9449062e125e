"""The simulated Stripe that the gateway is asked against."""

from collections.abc import Iterator

import pytest

from sandbox.stripe import SimulatedStripe, simulated_stripe


@pytest.fixture
def stripe() -> Iterator[SimulatedStripe]:
    """A simulated Stripe on loopback."""
    with simulated_stripe() as server:
        yield server
