"""The merchant's application of the sandbox, as an example of what to do when there is no answer."""

import asyncio

import httpx
import pytest

from sandbox.shop import create_app
from tests.console.conftest import KEYS, StartApi
from tests.console.conftest import start_api as start_api  # a fixture

NOBODY = "http://127.0.0.1:1"


def visit(api_url: str, path: str) -> httpx.Response:
    """Ask the application for a page."""

    async def go() -> httpx.Response:
        app = create_app(api_url, KEYS[0], {"cus_1": "Ada <Lovelace>"})
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
            return await client.get(path)

    return asyncio.run(go())


def is_open(page: httpx.Response) -> bool:
    """Whether one can work there."""
    return page.status_code == 200 and "<textarea" in page.text and '"show": null' in page.text


def test_an_outage_locks_nobody_out() -> None:
    """Nobody answers: the page is as for somebody who pays."""
    assert is_open(visit(NOBODY, "/as/cus_1"))


def test_neither_does_a_customer_nobody_has_heard_of(start_api: StartApi) -> None:
    """A 404 of the access API is not the same as no access."""
    assert is_open(visit(f"http://127.0.0.1:{start_api().port}", "/as/cus_1"))


@pytest.mark.parametrize("path", ["/", "/as/cus_1"])
def test_the_key_stays_on_the_server(path: str) -> None:
    """Nor does a name do any harm."""
    page = visit(NOBODY, path)
    assert KEYS[0] not in page.text
    assert "Ada &lt;Lovelace&gt;" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]


def test_nobody_else_is_let_in() -> None:
    """An id that is not a customer's."""
    assert visit(NOBODY, "/as/cus_2").status_code == 404
