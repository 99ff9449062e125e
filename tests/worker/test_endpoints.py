"""Endpoints that the settings name."""

from __future__ import annotations

import pytest

from db.endpoints import Wanted
from settings import SettingsError, WorkerSettings
from tests.settings.examples import from_env
from worker.endpoints import endpoints_of

URL = "https://app.acme.example/hooks"
# Not made anew each time: they stand in the names of tests.
NEW, OLD = "whsec_" + "bmV3" * 8, "whsec_" + "b2xk" * 8


def settings(given: str) -> WorkerSettings:
    return from_env(WorkerSettings, DUNNING_WEBHOOK_ENDPOINTS=given)


def test_a_url_its_secret_and_the_one_before() -> None:
    """With commas between endpoints, and spaces within."""
    found = endpoints_of(settings(f"{URL} {NEW} {OLD}, {URL}/2  {OLD}"))
    assert found == [Wanted(URL, NEW, OLD), Wanted(f"{URL}/2", OLD)]
    assert endpoints_of(settings("")) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (URL, "one secret after each URL"),
        (f"{URL} {NEW} {OLD} {OLD}", "one secret after each URL"),
        (f"{URL} {NEW},", "must start with https"),
        (f"{URL} sk_123", "the secret must start with whsec_"),
        (f"https://me:pass@app.acme.example/ {NEW}", "no user and no password"),
    ],
)
def test_a_wrong_endpoint_stops_the_start(given: str, words: str) -> None:
    """With the setting's name and the cure, and without the secret."""
    with pytest.raises(SettingsError) as caught:
        endpoints_of(settings(given))
    said = str(caught.value)
    assert "DUNNING_WEBHOOK_ENDPOINTS" in said
    assert words in said
    assert NEW not in said
