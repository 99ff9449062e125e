"""Sources of events: what is meant is read, and what cannot be meant is refused without showing a secret."""

import pytest

from settings import ReceiverSettings, SettingsError, WorkerSettings
from tests.settings.examples import from_env

GOOD = "whsec_dGVzdC1zZWNyZXQtMDEyMzQ1Njc4OWFiY2RlZg=="


def test_several_sources_with_several_secrets() -> None:
    """One scheme each, in any number."""
    text = f"acme standard {GOOD} {GOOD}, own stripe 0123456789abcdef, old hex:X-Old-Sign 0123456789abcdef"
    found = from_env(ReceiverSettings, DUNNING_EVENT_SOURCES=text).event_sources
    assert [each.get_secret_value().split()[0] for each in found] == ["acme", "own", "old"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("acme", "a name, a scheme and at least one secret"),
        ("acme standard", "a name, a scheme and at least one secret"),
        (f"acme plain {GOOD}", "is not standard, stripe or hex"),
        (f"acme standard:x-header {GOOD}", "is not standard, stripe or hex"),
        ("acme hex:x_y 0123456789abcdef", "is not standard, stripe or hex"),
        (f"stripe standard {GOOD}", "a name that is taken"),
        (f"Acme standard {GOOD}", "a name that is taken"),
        (f"../x standard {GOOD}", "a name that is taken"),
        ("acme standard hidden-0123456789", "whsec_"),
        ("acme hex hidden", "less than 16"),
        (f"acme standard {GOOD}, acme hex 0123456789abcdef", "names a source twice"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, why: str) -> None:
    """With a word about what is wrong."""
    with pytest.raises(SettingsError, match=why) as caught:
        from_env(ReceiverSettings, DUNNING_EVENT_SOURCES=text)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"acme {GOOD}", "a source, a URL and a secret"),
        (f"acme ftp://app.acme.example/ {GOOD}", "must start with https"),
        (f"acme https:///x {GOOD}", "a URL without a host"),
        ("acme https://app.acme.example/ hidden", "whsec_"),
    ],
)
def test_whom_to_ask_is_checked_as_well(text: str, why: str) -> None:
    """Before the first event asks."""
    with pytest.raises(SettingsError, match=why) as caught:
        from_env(WorkerSettings, DUNNING_EVENT_LOOKUPS=text)
    assert "hidden" not in str(caught.value)
