"""The channels by which the team is called, as settings have them."""

from __future__ import annotations

import pytest

from settings import SettingsError, WorkerSettings
from tests.settings.examples import from_env
from worker.build import check

OPS = "ops=mmost://chat.acme.example/abcdefghijklmnopqrstuvwxyz"


def test_channels_have_names() -> None:
    """Separated by spaces or lines, since URLs may hold anything else; beside mail and chat."""
    url = "json://me:a,b=c@pager.acme.example/?to=x,y"
    settings = from_env(
        WorkerSettings, DUNNING_TEAM_CHANNELS=f" {OPS}\n oncall={url} ", DUNNING_TEAM_EMAIL="us@acme.example"
    )
    assert settings.channels_by_name == {"ops": OPS.removeprefix("ops="), "oncall": url}
    assert settings.ways_to_the_team == ("mail", "ops", "oncall")
    assert "abcdefgh" not in repr(settings)
    check(settings)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("mmost://chat.acme.example/secret", "written as name=url"),
        ("Ops=json://x", "written as name=url"),
        ("ops=secret", "written as name=url"),
        ("mail=json://x/secret", "means something else"),
        ("ops=json://x/secret ops=json://y/secret", "two channels with the name ops"),
        ("ops=imaginary://x/secret", "does not know, or that lack something: ops"),
        ("ops=slack://secret", "does not know, or that lack something: ops"),
    ],
)
def test_a_wrong_channel_stops_the_start(given: str, words: str) -> None:
    """With the setting's name and the cure, and without the URL."""
    with pytest.raises(SettingsError) as caught:
        check(from_env(WorkerSettings, DUNNING_TEAM_CHANNELS=given))
    said = str(caught.value)
    assert words in said
    assert "DUNNING_TEAM_CHANNELS" in said
    assert "docs/team.md" in said
    assert "secret " not in said.replace("The URLs are secrets", "")
    assert "/secret" not in said
