"""Prometheus's text format, for the receiver alone: `prometheus_client` would add a twelfth to its memory.

Counters only, and labels whose values are codes of our own, or names from the settings.
"""

from collections.abc import Iterator, Mapping

from metrics.family import Family

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(values: Mapping[Family, Mapping[str, int]]) -> str:
    """Each family with its values by the value of its one label; a family without labels has the key ""."""
    return "".join(line for family, samples in values.items() for line in _lines(family, samples))


def _lines(family: Family, samples: Mapping[str, int]) -> Iterator[str]:
    about = family.about.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {family.name} {about}\n# TYPE {family.name} {family.kind}\n"
    for label, value in samples.items():
        yield f"{family.name}{_label(family, label)} {value}\n"


def _label(family: Family, value: str) -> str:
    if not family.labels:
        return ""
    escaped = value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'{{{family.labels[0]}="{escaped}"}}'
