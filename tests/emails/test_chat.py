"""The escalation in a chat."""

from dataclasses import replace
from datetime import UTC

import pytest

from dunning.declines import Category
from emails.chat import chat_text
from emails.samples import team_escalation


def test_the_message_tells_who_how_much_why_and_what_comes() -> None:
    """Everything a person needs to take over, in one message."""
    text = chat_text(team_escalation(), timezone=UTC)
    assert text.splitlines()[0] == "*Please look at Maria Muster*"
    for fact in ("€149.00", "stolen_card", "third charge", "Sent so far", "What comes next", "November 18"):
        assert fact in text
    assert text.endswith("<https://dashboard.stripe.com/customers/cus_Example42|Customer in Stripe>")
    assert "\n\n" not in text


@pytest.mark.parametrize("category", [Category.MASKED, Category.FRAUD])
def test_a_reason_to_keep_is_called_one(category: Category) -> None:
    """Whoever answers the customer reads first what must not be said."""
    text = chat_text(replace(team_escalation(), category=category), timezone=UTC)
    assert "keep this reason to yourselves" in text


def test_what_customers_wrote_cannot_call_the_channel() -> None:
    """Slack's own markup starts with <: it is escaped wherever it comes from outside."""
    hostile = replace(team_escalation(), customer_name="<!channel> & <https://evil.example|click>", links=())
    text = chat_text(hostile, timezone=UTC)
    assert "&lt;!channel&gt; &amp; " in text
    assert "<" not in text
    assert "evil.example" not in text


def test_an_escalation_of_which_little_is_known() -> None:
    """Missing facts leave no empty lines and no empty headings."""
    bare = replace(
        team_escalation(),
        customer_name=None,
        customer_email=None,
        plan=None,
        category=Category.CONSENT_WITHDRAWN,
        decline_code=None,
        access_until=None,
        sent=(),
        upcoming=(),
        links=(),
    )
    text = chat_text(bare, timezone=UTC)
    assert text.startswith("*Please look at cus_Example42*\ncus_Example42\n")
    assert "wish to cancel" in text
    assert "None" not in text
    assert "Sent so far" not in text


def test_a_link_in_a_chat_must_be_one() -> None:
    """The same rule as in a mail."""
    with pytest.raises(ValueError, match="http"):
        chat_text(replace(team_escalation(), links=(("Case", "javascript://x"),)), timezone=UTC)
