"""A world with everything customers see of it: the portal, the access API and a merchant's application.

Each is a process of its own on one database. The world runs in a thread of its own, since Playwright keeps an
event loop running in the thread of the tests.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import TypeVar

from db import links
from db.links import LinkRow
from db.lookups import find_customers
from portal.links import Links, Minted, Pages
from sandbox.inbox import Inbox
from sandbox.programs import free_port
from tests.console.process import ROOT, ApiProcess, wait_until
from tests.console.worlds import world_on
from tests.portal.process import SECRET, PortalProcess
from tests.scenarios.story import Story
from tests.scenarios.world import SENDER, World

T = TypeVar("T")
KEY = "test-key-0123456789abcdef"


class Town:
    """The world and its processes. `pages` knows the address of the portal."""

    def __init__(self, database_url: str, redis_url: str, inbox: Inbox) -> None:
        """Build the world; the processes start side by side."""
        self._thread = ThreadPoolExecutor(1)
        self._stack = ExitStack()
        self._known: dict[Callable[[World], Story], Story] = {}
        port = free_port()
        self.pages = Pages(f"http://127.0.0.1:{port}", Links([SECRET]))
        settings = {"DUNNING_PORTAL_URL": self.pages.base, "DUNNING_LINK_SECRETS": SECRET}
        self._world = self._thread.submit(self._build, database_url, inbox).result()
        portal = {
            **settings,
            "DUNNING_BRAND_LOGO_URL": "",
            "DUNNING_PORTAL_STRIPE_KEY": self._world.stripe.api_key,
            "STRIPE_API_BASE": self._world.stripe.url,
            "DUNNING_STRIPE_PAGES": self._world.stripe.url,
        }
        with ThreadPoolExecutor(2) as pool:
            starting = pool.submit(PortalProcess, database_url, redis_url, port, **portal)
            self.api = ApiProcess(database_url, [KEY], **settings)
            self.portal = starting.result()

    def _build(self, database_url: str, inbox: Inbox) -> World:
        world = self._stack.enter_context(world_on(database_url, inbox))
        world.services = replace(world.services, pages=True)
        world.courier = replace(world.courier, sender=replace(SENDER, pages=self.pages))
        return world

    def close(self) -> None:
        """Stop everything."""
        self.portal.stop()
        self.api.stop()
        self._thread.submit(self._stack.close).result()
        self._thread.shutdown()

    def tell(self, story: Callable[[World], T]) -> T:
        """Let something happen in the world."""
        return self._thread.submit(story, self._world).result()

    def known(self, story: Callable[[World], Story]) -> Story:
        """Somebody whose story is told once for all tests, which leave them as they are."""
        if story not in self._known:
            self._known[story] = self.tell(story)
        return self._known[story]

    def link(self, story: Story) -> str:
        """The address of the page of a story's newest case."""
        return self.pages.url(self.tell(lambda world: mint(world, story, self.pages.links)))

    def revoke(self, story: Story) -> None:
        """Let all links to a story's newest case open nothing any more."""
        self.tell(lambda world: _revoke(world, story))

    def mailed(self, address: str, *, after: int = 0) -> str:
        """The link in the newest mail to somebody, once more than `after` of them are sent."""
        texts: list[str] = []

        def sent() -> bool:
            texts[:] = self.tell(lambda world: _sent_by_now(world, address))
            return len(texts) > after

        wait_until(sent, f"a mail to {address}")
        found = re.search(rf"{re.escape(self.pages.base)}/p/[\w.-]+", texts[-1])
        assert found, texts[-1]
        return found[0]


def mint(world: World, story: Story, ours: Links) -> Minted:
    """A link to the newest case of a story, as a mail is given one."""
    minted = ours.mint()

    async def add() -> None:
        async with world.services.engine.begin() as connection:
            [found] = await find_customers(connection, story.customer.id)
            row = LinkRow(minted.digest, found.id, story.invoice.id, story.now, "a test", plan="Team plan")
            await links.add(connection, row)

    world.run(add())
    return minted


def _sent_by_now(world: World, address: str) -> list[str]:
    world.tick()
    return [mail.text for mail in world.inbox.to(address)]


def _revoke(world: World, story: Story) -> None:
    async def revoke() -> None:
        async with world.services.engine.begin() as connection:
            [found] = await find_customers(connection, story.customer.id)
            await links.revoke(connection, found.id, story.invoice.id, story.now)

    world.run(revoke())


class ShopProcess:
    """The merchant's application in a process of its own."""

    def __init__(self, api: ApiProcess, customers: Mapping[str, str]) -> None:
        """Start it for customers, names by id, and wait until it listens."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.lines: list[str] = []
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DUNNING_API_KEYS": KEY,
            "DUNNING_LOG_FORMAT": "json",
        }
        people: Sequence[str] = [f"{customer}={name}" for customer, name in customers.items()]
        command = [sys.executable, "-m", "sandbox.shop", "--port", str(port), "--api"]
        self.popen = subprocess.Popen(
            [*command, f"http://127.0.0.1:{api.port}", *people], env=env, stderr=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._read, daemon=True).start()
        wait_until(lambda: any("shop.started" in line for line in self.lines), "the shop")

    def stop(self) -> None:
        """Stop it."""
        self.popen.terminate()
        self.popen.wait(10)

    def _read(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            self.lines.append(line)
