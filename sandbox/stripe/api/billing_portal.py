"""/v1/billing_portal/sessions"""

from typing import Any

from sandbox.stripe import portal
from sandbox.stripe.api.params import Params
from sandbox.stripe.api.request import Answer, ApiRequest, Routes
from sandbox.stripe.errors import ApiError
from sandbox.stripe.ledger import UnknownObjectError
from sandbox.stripe.records import Customer


def _create(request: ApiRequest) -> Answer:
    """The address is good for one visit to this simulation's own page."""
    params = request.params
    params.only("customer", "return_url", "locale", "flow_data", "configuration")
    customer = request.ledger.get(Customer, params.required("customer"))
    if customer.deleted:
        raise UnknownObjectError(Customer, customer.id)
    return portal.create(
        request.ledger,
        customer,
        return_url=params.url("return_url"),
        locale=params.text("locale"),
        configuration=params.text("configuration"),
        flow=_flow(params.group("flow_data")) if "flow_data" in params else None,
    )


def _flow(flow: Params) -> dict[str, Any]:
    flow.only("type", "after_completion")
    if flow.required("type") != "payment_method_update":
        raise ApiError.invalid("Only updates of the payment method are simulated.", param="flow_data[type]")
    after = flow.group("after_completion")
    if "after_completion" in flow:
        match after.required("type"):
            case "redirect":
                after.group("redirect").required_url("return_url")
            case "hosted_confirmation" | "portal_homepage":
                pass
            case other:
                raise ApiError.invalid(f"Invalid type: {other}", param="flow_data[after_completion][type]")
    return flow.values


ROUTES: Routes = (("POST", "/v1/billing_portal/sessions", _create),)
