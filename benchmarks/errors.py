"""Why a measurement is not one."""


class BenchmarkError(Exception):
    """A program did not start, an answer was wrong, work got lost: its figures would mean nothing."""


class SkippedError(Exception):
    """A row cannot be measured on this machine, which says nothing against the others. Its text says why."""
