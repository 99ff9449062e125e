"""Why a measurement is not one."""


class BenchmarkError(Exception):
    """A program did not start, an answer was wrong, work got lost: its figures would mean nothing."""
