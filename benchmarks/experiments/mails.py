"""Row 8: mails that are due, rendered, sent and recorded; beside it messages that are ready-made."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from smtplib import SMTP

from benchmarks.errors import BenchmarkError
from benchmarks.experiment import Contender, Experiment, Figures, Mark
from benchmarks.experiments import inbox
from benchmarks.experiments.backlog import Backlog
from benchmarks.house import House
from benchmarks.programs import dunning, module
from benchmarks.scale import Scale
from benchmarks.waiting import wait_until
from benchmarks.world.owing import LOCALES, failures, ready_made
from emails.smtp import SmtpTransport
from emails.smtp_url import SmtpUrl
from settings.serving import WorkerProcess
from worker.queues import MAIL

# Connections to the mail server: as an operator sets it whose server takes many, and as the setting comes.
MANY, USUAL = 8, WorkerProcess.model_fields["smtp_connections"].default
SENDER, RECIPIENT = "billing@merchant.example", "customer@customer.example"

# As if nobody had begun with them: only what is decided stays.
_DUE_AGAIN = """
WITH told AS (DELETE FROM journal WHERE kind = 'mail.sent')
UPDATE outbox SET status = 'pending', attempts = 0, due_at = clock_timestamp(), lease_until = NULL,
                  handed_at = NULL, accepted_at = NULL, recipient = NULL, rendered = NULL, reference = NULL
RETURNING id
"""
_WAITING = "SELECT count(*) FROM outbox WHERE kind = 'mail' AND status = 'pending'"
_RECORDED = """
SELECT count(*) FROM outbox WHERE status = 'sent' AND rendered IS NOT NULL AND accepted_at IS NOT NULL
   AND EXISTS (SELECT FROM journal WHERE journal.customer_id = outbox.customer_id AND kind = 'mail.sent')
"""


class _Mails:
    """`dunning worker --queues mail` on mails that wait, and a mail server that takes whatever comes."""

    def __init__(self, house: House, stack: ExitStack, count: int, connections: int, redis: int) -> None:
        self._house, self._count, self._arrived = house, count, 0
        self._database, self._redis = house.database(), house.redis(redis)
        self._smtp = house.programs.start_listening(
            stack, f"mail sink {redis}", module("world.mail"), house.environment("", ""), self._hear
        )()
        environment = house.environment(
            self._database,
            self._redis,
            SMTP_URL=self._smtp,
            DUNNING_SMTP_CONNECTIONS=str(connections),
        )
        program = house.programs.start(
            f"mail worker {redis}", dunning("worker", "--queues", "mail"), environment
        )
        stack.callback(program.stop)
        self._backlog = Backlog(stack, [program], self._redis, MAIL)
        # While it starts, and without a word to it.
        inbox.apply(self._database, inbox.store(self._database, failures(count)))
        if (due := self._query(_WAITING)) != count:
            raise BenchmarkError(f"of {count} mails {due} are due")

    def send(self) -> Figures:
        """All of them, each as if for the first time."""
        self._house.forget(self._redis)
        ids = [row["id"] for row in self._house.query(self._database, _DUE_AGAIN)]
        self._arrived = 0
        seconds = self._backlog.work_off(self._backlog.messages(sorted(ids)))
        recorded = self._query(_RECORDED)
        wait_until(lambda: self._arrived >= recorded, "the last mail")
        if not recorded == self._arrived == self._count:
            raise BenchmarkError(f"of {self._count} mails {self._arrived} came and {recorded} are recorded")
        return {"rate": self._count / seconds}

    def feed(self) -> Figures:
        """As many messages, ready-made, through our own transport and nothing else of ours."""
        return {"rate": asyncio.run(self._feed(list(ready_made(len(LOCALES), RECIPIENT))))}

    async def _feed(self, messages: Sequence[bytes]) -> float:
        transport = SmtpTransport(self._smtp)
        await transport.send(messages[0])  # connects
        start = time.perf_counter()
        for number in range(self._count):
            await transport.send(messages[number % len(messages)])
        seconds = time.perf_counter() - start
        await transport.close()
        return self._count / seconds

    def feed_by_library(self) -> Figures:
        """The same through the standard library, which waits for each answer and does nothing else."""
        messages = list(ready_made(len(LOCALES), RECIPIENT))
        server = SmtpUrl.parse(self._smtp)
        with SMTP(server.host, server.port) as client:
            client.sendmail(SENDER, RECIPIENT, messages[0])
            start = time.perf_counter()
            for number in range(self._count):
                client.sendmail(SENDER, RECIPIENT, messages[number % len(messages)])
            return {"rate": self._count / (time.perf_counter() - start)}

    def _hear(self, line: str) -> None:
        self._arrived += line.startswith("mail ")

    def _query(self, statement: str) -> int:
        return int(self._house.query(self._database, statement)[0][0])


@contextmanager
def _set_up(house: House, scale: Scale) -> Iterator[Sequence[Contender]]:
    with ExitStack() as stack:
        usual = _Mails(house, stack, scale.mails_due, USUAL, 7)
        many = _Mails(house, stack, scale.mails_due, MANY, 13)
        for each in (usual, many):
            each.send()  # opens every connection and compiles every template, and does not count
        yield [
            Contender("mail worker", usual.send),
            Contender("by many connections", many.send),
            Contender("ready-made messages", usual.feed),
            Contender("ready-made, by smtplib", usual.feed_by_library),
        ]


MAILS = Experiment(
    "mails",
    "Mails that are due, one process: rendered in six languages, sent and recorded",
    _set_up,
    (
        Mark(
            f"by {MANY} connections, to ready-made messages",
            "by many connections",
            "rate",
            "ready-made messages",
            must=0.5,
            aim=0.8,
        ),
        Mark(f"by {USUAL}, as it comes", "mail worker", "rate", "ready-made messages"),
        Mark("ready-made messages, to smtplib's", "ready-made messages", "rate", "ready-made, by smtplib"),
    ),
)
