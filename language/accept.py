"""Which languages a request asks for."""

from __future__ import annotations

# Enough for every browser's list; a longer one is somebody's experiment.
MOST_RANGES = 20


def wanted(accept_language: str) -> list[str]:
    """The tags of an Accept-Language header, the most wanted first (RFC 9110, 12.5.4).

    `*` and what is refused with `q=0` are left out, like anything that cannot be read.
    """
    ranked = []
    for position, item in enumerate(accept_language.split(",")[:MOST_RANGES]):
        tag, _, parameters = item.partition(";")
        weight = _weight(parameters)
        if (tag := tag.strip()) and tag != "*" and weight > 0:
            ranked.append((-weight, position, tag))
    return [tag for _, _, tag in sorted(ranked)]


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0) if name.strip().lower() == "q" else 1.0
    except ValueError:
        return 0.0
