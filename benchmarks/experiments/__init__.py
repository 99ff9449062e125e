"""The rows of the table, in its order."""

from benchmarks.experiment import Experiment
from benchmarks.experiments.access import ACCESS
from benchmarks.experiments.disturbed import DISTURBED
from benchmarks.experiments.djstripe import DJSTRIPE
from benchmarks.experiments.footprint import FOOTPRINT
from benchmarks.experiments.mail import MAIL
from benchmarks.experiments.mails import MAILS
from benchmarks.experiments.outage import OUTAGE
from benchmarks.experiments.policies import POLICIES
from benchmarks.experiments.processes import PROCESSES
from benchmarks.experiments.questions import QUESTIONS
from benchmarks.experiments.receiver import RECEIVER
from benchmarks.experiments.sweep import SWEEP
from benchmarks.experiments.tick import TICK
from benchmarks.experiments.worker import WORKER

EXPERIMENTS: tuple[Experiment, ...] = (
    RECEIVER,
    DJSTRIPE,
    DISTURBED,
    FOOTPRINT,
    WORKER,
    PROCESSES,
    OUTAGE,
    MAIL,
    MAILS,
    SWEEP,
    QUESTIONS,
    TICK,
    ACCESS,
    POLICIES,
)
