"""A simulated Commet on loopback: books with customers and renewals, its HTTP API, and signed webhooks."""

from sandbox.commet.books import CommetBooks
from sandbox.commet.delivery import CommetEndpoint, post_to
from sandbox.commet.server import SimulatedCommet, simulated_commet

__all__ = ["CommetBooks", "CommetEndpoint", "SimulatedCommet", "post_to", "simulated_commet"]
