"""From a renewal to come to the facts of its mail: nothing has failed yet."""

from __future__ import annotations

from dunning.money import Money
from dunning.rules.renewals import Renewal
from emails.catalogue import CardExpiring, CardLabel, Mail, RenewalNotice


def compose_renewal(
    renewal: Renewal, *, name: str, customer_name: str | None, plan_name: str | None, page_url: str | None
) -> Mail:
    """`name` is the mail: `card_expiring` or `renewal_notice`; `page_url` is the merchant's billing page."""
    subscription, method = renewal.subscription, renewal.method
    known = subscription.amount is not None and subscription.currency
    amount = Money(subscription.amount or 0, subscription.currency or "") if known else None
    card = CardLabel(method.brand, method.last4) if method and method.brand and method.last4 else None
    if name == "card_expiring" and method and method.exp_year and method.exp_month:
        return CardExpiring(
            customer_name=customer_name,
            plan=plan_name,
            amount=amount,
            card=card,
            expires=(method.exp_year, method.exp_month),
            renews_at=renewal.at,
            update_url=page_url,
        )
    return RenewalNotice(
        customer_name=customer_name,
        plan=plan_name,
        amount=amount,
        renews_at=renewal.at,
        card=card,
        manage_url=page_url,
    )
