"""Further Stripe accounts: what is meant is read, what cannot be meant is refused, and no secret is shown."""

import pytest

from providers.stripe.settings import PortalStripe, StripeApi
from settings import PortalSettings, ReceiverSettings, SettingsError, WorkerSettings
from tests.settings.examples import from_env

KEY = "rk_test_0123456789abcdef"


def test_each_account_is_asked_with_its_own_key() -> None:
    """A connected one with the platform's, and one that nobody has named with none."""
    found = from_env(WorkerSettings, STRIPE_ACCOUNTS=f"de {KEY}_de, us {KEY}_us")
    assert isinstance(found, StripeApi)
    assert found.sources == ("stripe", "stripe:de", "stripe:us")
    keys = {source: found.api_key_of(source) for source in (*found.sources, "stripe:acct_1", "stripe:fr")}
    assert keys == {
        "stripe": KEY,
        "stripe:de": f"{KEY}_de",
        "stripe:us": f"{KEY}_us",
        "stripe:acct_1": KEY,
        "stripe:fr": None,
    }
    page = from_env(PortalSettings, DUNNING_PORTAL_STRIPE_ACCOUNTS=f"de {KEY}_page")
    assert isinstance(page, PortalStripe)
    assert [page.portal_key_of(each) for each in ("stripe", "stripe:de")] == [None, f"{KEY}_page"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("de", "a name and one key"),
        (f"de {KEY} {KEY}", "a name and one key"),
        (f"connect {KEY}", "name that is taken"),
        (f"acct_1 {KEY}", "name that is taken"),
        (f"DE {KEY}", "name that is taken"),
        ("de rk_live_hidden0123456789", "is a live key"),
        ("de hidden", "must start with"),
        (f"de {KEY}, de {KEY}", "names an account twice"),
    ],
)
def test_accounts_that_cannot_be_meant(text: str, why: str) -> None:
    """With a word about what is wrong."""
    with pytest.raises(SettingsError, match=why) as caught:
        from_env(WorkerSettings, STRIPE_ACCOUNTS=text)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("de", "no secret for de"),
        ("connect whsec_test", "name that is taken"),
        ("de hidden", "whsec_"),
        ("de whsec_one, de whsec_two", "names an account twice"),
    ],
)
def test_secrets_that_cannot_be_meant(text: str, why: str) -> None:
    """The same for the endpoints of further accounts."""
    with pytest.raises(SettingsError, match=why) as caught:
        from_env(ReceiverSettings, STRIPE_ACCOUNT_WEBHOOK_SECRETS=text)
    assert "hidden" not in str(caught.value)
