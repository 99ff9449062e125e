"""Portal sessions as Stripe sends them."""

from sandbox.stripe.ids import derived
from sandbox.stripe.objects.common import Json
from sandbox.stripe.records import PortalSession
from sandbox.stripe.versions import ApiVersion


def portal_session(record: PortalSession, version: ApiVersion) -> Json:
    """A way into the customer portal; its address lives for minutes only."""
    body: Json = {
        "id": record.id,
        "object": "billing_portal.session",
        "configuration": record.configuration or f"bpc_{derived('portal', 'configuration')}",
        "created": record.created,
        "customer": record.customer,
        "flow": _portal_flow(record, version) if record.flow is not None else None,
        "livemode": False,
        "locale": record.locale,
        "on_behalf_of": None,
        "return_url": record.return_url,
        "url": record.url,
    }
    if version.basil:
        body |= {"customer_account": None}
    if version.endive:
        body |= {"after_expiration": None}
    return body


def _portal_flow(record: PortalSession, version: ApiVersion) -> Json:
    unused = dict.fromkeys(
        ("subscription_cancel", "subscription_update", "subscription_update_confirm"), None
    )
    after = {"hosted_confirmation": None, "redirect": None, "type": "portal_homepage"}
    asked = dict(record.flow or {})
    body: Json = unused | asked | {"after_completion": after | asked.get("after_completion", {})}
    return {"customer_update": None, "subscription_pause": None} | body if version.endive else body
