"""The suite's side of the world outside."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.experiment import Figures
from benchmarks.house import House
from benchmarks.load import Generator, lookups
from benchmarks.programs import module
from benchmarks.scale import Scale
from providers.stripe.reading import EXPANDED_INVOICE
from worker.lookups import CONCURRENT

API_KEY = "sk_test_benchmarks0123456789abcdef"
# One failed payment asks for its invoice, with all that belongs to it, and for the charges of its payment.
QUESTIONS = 2
_EXPAND = "&".join(f"expand[{number}]={field}" for number, field in enumerate(EXPANDED_INVOICE))


@dataclass(frozen=True, slots=True)
class Stripe:
    """A simulated Stripe in a process of its own. `failures` are the events of its failed payments."""

    url: str
    failures: list[str]

    def answer(self, generator: Generator, scale: Scale) -> Figures:
        """How many failed payments a second it can answer the questions of, with nothing else to do.

        Asked for invoices only, the dearer one of the two questions.
        """
        paths = [f"/v1/invoices/{_invoice(body)}?{_EXPAND}" for body in self.failures]
        result = generator.flood(
            int(self.url.rpartition(":")[2]),
            lookups(paths, f"Authorization: Bearer {API_KEY}"),
            warm_up=scale.warm_up_seconds,
            seconds=scale.load_seconds,
            connections=CONCURRENT,
        )
        return {"rate": result["rate"] / QUESTIONS}


def simulated_stripe(house: House, stack: ExitStack, directory: Path, failing: int) -> Callable[[], Stripe]:
    """Start one with so many failed renewals; it ends with the stack. `directory` takes the events.

    What is answered waits until it listens.
    """
    file = directory / "events"
    command = module("world.stripe", str(failing), str(file))
    url = house.programs.start_listening(stack, "simulated Stripe", command, house.environment("", ""))
    return lambda: Stripe(url(), file.read_text().split("\n"))


def _invoice(body: str) -> str:
    return str(json.loads(body)["data"]["object"]["id"])
