"""`python -m benchmarks.world.stripe COUNT FILE`: a simulated Stripe with COUNT failed renewals.

Writes their `invoice.payment_failed` events to FILE, one a line, and then its address as a line of output.
"""

import signal
import sys
from pathlib import Path

from benchmarks.world.accounts import FAILED, bodies, failing_renewals
from sandbox.stripe import simulated_stripe

# Stripe lets an account name itself in its requests, as dj-stripe does.
ACCOUNT = "acct_benchmarks"


def main(count: int, file: Path) -> None:
    """Serve until SIGTERM."""
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before threads are made, so that they have it too
    engine = failing_renewals(count)
    file.write_text("\n".join(bodies(engine, FAILED)))
    with simulated_stripe(engine=engine, api_key="sk_test_benchmarks0123456789abcdef") as stripe:
        stripe.connect(ACCOUNT, engine)
        sys.stdout.write(f"listening {stripe.url}\n")
        sys.stdout.flush()
        signal.sigwait(ends)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
