"""The world around the stage: customers who live there, and an application that asks for their access."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import httpx

from sandbox.demo.stage import Stage
from tests.chaos.rig.crowd import Crowd
from tests.chaos.rig.history import History, Looked

# Seconds.
ASK_EVERY = 0.1
ANSWER_WITHIN = 5.0


class World:
    """Goes on in threads of its own while `living`; `check` raises what went wrong there."""

    def __init__(self, scene: Stage, history: History, seed: int) -> None:
        self.crowd = Crowd(scene.stripe.engine, seed)
        self._scene, self._history, self._seed = scene, history, seed
        self._errors: list[Exception] = []

    @contextmanager
    def living(self, steps_per_second: float) -> Iterator[None]:
        """Customers live, and somebody asks for their access, while the block runs."""
        over = threading.Event()
        threads = [
            threading.Thread(target=self._in_thread, args=(self._live, over, steps_per_second)),
            threading.Thread(target=self._in_thread, args=(self._ask, over)),
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()
        self.check()

    def check(self) -> None:
        """Raise the first error of a thread."""
        if self._errors:
            raise self._errors[0]

    def look_at_all(self) -> None:
        """Ask for the access of everybody."""
        with self._api() as api:
            for person in self.crowd.people:
                self._look(api, person.customer.id)

    def _in_thread(self, what: Callable[..., None], *arguments: object) -> None:
        try:
            what(*arguments)
        except Exception as error:  # raised by `check`, in the thread that can fail the test
            self._errors.append(error)

    def _live(self, over: threading.Event, steps_per_second: float) -> None:
        pauses = Random(self._seed)  # noqa: S311  # repeatable, not a secret
        while not over.wait(pauses.expovariate(steps_per_second)):
            self.crowd.step()

    def _ask(self, over: threading.Event) -> None:
        choice = Random(self._seed)  # noqa: S311  # as above
        with self._api() as api:
            while not over.wait(ASK_EVERY):
                if self.crowd.people:
                    self._look(api, choice.choice(self.crowd.people).customer.id)

    def _look(self, api: httpx.Client, customer: str) -> None:
        try:
            answer = api.get(f"/v1/access/{customer}")
        except httpx.TransportError:
            self._history.write(Looked(time.time(), customer, None))
            return
        said = answer.json() if answer.is_success else {}
        told = {name: said.get(name) for name in ("level", "subscription", "reason")}
        self._history.write(Looked(time.time(), customer, answer.status_code, **told))

    def _api(self) -> httpx.Client:
        key = {"Authorization": f"Bearer {self._scene.api_key}"}
        return httpx.Client(base_url=self._scene.api_url, headers=key, timeout=ANSWER_WITHIN, trust_env=False)
