"""What is true of the whole installation, as it was read last."""

from __future__ import annotations

from collections.abc import Iterator
from time import time

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from metrics.whole.gauges import Moment, Survey, of_moment, of_survey
from metrics.whole.meter import Meter

# Seconds. What nobody could read for so long is not told any more: an old figure would look like a good one.
FORGOTTEN_AFTER = 60.0
SURVEY_FORGOTTEN_AFTER = 600.0


class Whole(Collector):
    """Asked by the listener's thread, filled by the scheduler's."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.moment: Moment | None = None
        self.survey: Survey | None = None

    def collect(self) -> Iterator[Metric]:
        """Everything there is to tell. Counters go on counting, whatever cannot be read."""
        yield from self.meter.collect()
        now, moment, survey = time(), self.moment, self.survey
        if moment and now - moment.at < FORGOTTEN_AFTER:
            yield from of_moment(moment)
        if survey and now - survey.at < SURVEY_FORGOTTEN_AFTER:
            yield from of_survey(survey)

    def describe(self) -> list[Metric]:
        """Nothing: to be registered it need not have read anything."""
        return []
