"""/v1/webhook_endpoints"""

from typing import Any

from sandbox.stripe.api.pages import PAGING
from sandbox.stripe.api.request import Answer, ApiRequest, Routes
from sandbox.stripe.endpoints import Endpoint


def _list(request: ApiRequest) -> Answer:
    """All of them on one page; none can be added here."""
    request.params.only(*PAGING)
    return {
        "object": "list",
        "url": request.url,
        "has_more": False,
        "data": [_rendered(each, number) for number, each in enumerate(request.endpoints, 1)],
    }


def _rendered(endpoint: Endpoint, number: int) -> dict[str, Any]:
    return {
        "id": f"we_{number:024}",
        "object": "webhook_endpoint",
        "api_version": endpoint.version.name,
        "enabled_events": list(endpoint.enabled_events),
        "livemode": False,
        "status": "enabled",
        "url": endpoint.url,
    }


ROUTES: Routes = (("GET", "/v1/webhook_endpoints", _list),)
