"""The settings of the page for customers: what would let somebody else in is refused."""

import pytest

from settings import ApiSettings, PortalSettings, SettingsError, ToolSettings, WorkerSettings
from tests.settings.examples import ALL, from_env

LONG = "0123456789abcdef0123456789abcdef"
LIVE = {"DUNNING_LIVEMODE": "true", "STRIPE_API_KEY": "rk_live_0123456789abcdef"}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        (LIVE | {"DUNNING_PORTAL_URL": "http://127.0.0.1:8082"}, "must start with https:// in live mode"),
        ({"DUNNING_PORTAL_URL": "https://acme.example/pay"}, "must end with the host"),
        ({"DUNNING_PORTAL_URL": "https://acme.example?a=1"}, "must end with the host"),
        ({"DUNNING_PORTAL_URL": "https://user@acme.example"}, "nobody's user name"),
        ({"DUNNING_PORTAL_URL": "ftp://acme.example"}, "must start with https://"),
        ({"DUNNING_LINK_SECRETS": "short"}, "holds a secret shorter than 32 characters"),
        ({"DUNNING_LINK_SECRETS": f"{LONG},"}, "holds a secret shorter than 32 characters"),
        ({"DUNNING_LINK_SECRETS": ""}, "is not set"),
        ({"DUNNING_PORTAL_PROXIES": "10.0.0.1/8"}, "Give networks"),
    ],
)
def test_what_cannot_be_meant_is_told(changes: dict[str, str], wrong: str) -> None:
    """By the portal, before it listens."""
    with pytest.raises(SettingsError, match=wrong):
        from_env(PortalSettings, **changes)


@pytest.mark.parametrize("process", [WorkerSettings, ToolSettings, ApiSettings])
def test_others_need_both_or_neither(process: type[WorkerSettings | ToolSettings | ApiSettings]) -> None:
    """Without an address there is no page; with one, links have to be signed."""
    assert from_env(process, DUNNING_PORTAL_URL="", DUNNING_LINK_SECRETS="").portal_url is None
    with pytest.raises(SettingsError, match="links have to be signed"):
        from_env(process, DUNNING_LINK_SECRETS="")


def test_secrets_come_in_a_row() -> None:
    """Two while one is replaced; none is shown."""
    loaded = from_env(PortalSettings, DUNNING_LINK_SECRETS=f"{LONG}-new, {LONG}-old")
    assert [each.get_secret_value() for each in loaded.link_secrets] == [f"{LONG}-new", f"{LONG}-old"]
    assert LONG not in repr(loaded)
    assert loaded.portal_url == ALL["DUNNING_PORTAL_URL"]
