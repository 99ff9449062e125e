"""All that the team can ask of the API and tell it."""

from __future__ import annotations

from console.operation import Operation
from console.team.actions import action_operations
from console.team.cases import case_operations
from console.team.endpoints import endpoint_operations
from console.team.figures import figure_operations
from console.team.services import Team


def team_operations(team: Team) -> list[Operation]:
    """Every operation; one file for each kind."""
    return [
        *case_operations(team),
        *action_operations(team),
        *figure_operations(team),
        *endpoint_operations(team),
    ]
