"""Dramatiq actors to compare with: `noop` does nothing, `usual` is one message, one ORM transaction.

Run as `python -m benchmarks.peers.actors QUEUE`, with our own broker's settings and our worker's number of
threads.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable

import dramatiq

from benchmarks.peers.names import NOOP, USUAL
from worker.broker import create_broker


def noop(number: int) -> None:
    """The ceiling of one message each."""


def _usual(threads: int) -> Callable[[int], object]:
    from benchmarks.peers import usual  # with the ORM, which nobody else here needs

    url = os.environ["DATABASE_URL"]
    asyncio.run(usual.create_tables(url))
    return usual.actor(url, threads)


def main(queue: str) -> None:
    """Serve one queue until SIGTERM."""
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before threads are made, so that they have it too
    threads = int(os.environ["DUNNING_WORKER_THREADS"])
    broker = create_broker(os.environ["REDIS_URL"])
    wakeup, function = (USUAL, _usual(threads)) if queue == USUAL.queue else (NOOP, noop)
    register = dramatiq.actor(actor_name=wakeup.actor, queue_name=queue, broker=broker, max_retries=0)
    register(function)
    # As worker.main starts its own.
    worker = dramatiq.Worker(broker, queues={queue}, worker_threads=threads, worker_timeout=500)
    worker.start()
    sys.stdout.write("worker.started\n")
    sys.stdout.flush()
    signal.sigwait(ends)
    worker.stop()
    broker.close()


if __name__ == "__main__":
    main(sys.argv[1])
