"""What a fault has cost somebody, held against what became of somebody whom it did not meet."""

from __future__ import annotations

from dataclasses import dataclass

from tests.chaos.crowd import Facts


@dataclass(frozen=True)
class Verdict:
    """What somebody's worker's death has cost: things not done, and things done once more than in calm.

    `unknown` is what was on its way when it died: written down as that, and at most once at the other end.
    """

    lost: Facts
    doubled: Facts
    unknown: int


def judged(facts: Facts, calm: Facts) -> Verdict:
    """Held against what became of somebody whose worker nobody has ended."""
    told, unknown = Facts(facts), 0
    for fact in facts:
        kind, _, thing = fact.partition(": ")
        if kind == "unknown":
            unknown += 1
            told[fact] -= 1
            told[f"sent: {thing}"] += 1
            # It may have been the last thing that the worker did.
            told[f"arrived: {thing}"] = max(told[f"arrived: {thing}"], calm[f"arrived: {thing}"])
        elif kind == "journal" and ".unknown " in thing:
            told[fact] -= 1
            step = thing.split()[-1]
            told[f"journal: {thing.split('.')[0]}.sent None {step}"] += 1
    return Verdict(lost=calm - told, doubled=told - calm, unknown=unknown)
