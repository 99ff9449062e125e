"""Which keys are good, and for how long a process goes on with what it has read of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from console.keyring import LOOK_AGAIN, NOTE_AGAIN, OF_THE_SETTINGS, STALE, Keyring
from console.store import Unavailable
from db.key_lookup import GoodKey

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Shelf:
    """Stored keys that a test changes; `reads` are the times at which they were looked for."""

    def __init__(self) -> None:
        self.keys: dict[bytes, GoodKey] = {}
        self.time = 0.0
        self.reads: list[float] = []
        self.noted: list[int] = []
        self.away = False
        self.keyring = Keyring(
            ["first-key-0123456789", "second-key-0123456789"],
            self._read,
            self._use,
            clock=lambda: NOW + timedelta(seconds=self.time),
            monotonic=lambda: self.time,
        )

    def put(self, secret: bytes, *scopes: str, expires_at: datetime | None = None) -> None:
        number = len(self.keys) + 1
        self.keys[sha256(secret).digest()] = GoodKey(number, f"label {number}", scopes, expires_at)

    async def _read(self) -> Mapping[bytes, GoodKey]:
        self.reads.append(self.time)
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("away")
        return dict(self.keys)

    async def _use(self, key_id: int) -> None:
        self.noted.append(key_id)

    def ask(self, secret: bytes) -> str | None:
        """The label of the key's holder."""
        holder = asyncio.run(self.keyring.holder(secret))
        return holder and holder.label


def test_only_the_whole_key_is_known() -> None:
    """Any of several, as bytes; a part, another case or any other bytes are not."""
    keyring = Keyring(["first-key-0123456789", "second-key-0123456789"])
    assert asyncio.run(keyring.holder(b"first-key-0123456789")) == OF_THE_SETTINGS
    assert asyncio.run(keyring.holder(b"second-key-0123456789")) == OF_THE_SETTINGS
    for wrong in (b"", b"first-key-012345678", b"FIRST-KEY-0123456789", b"\xff\xfe", "schlüssel".encode()):
        assert asyncio.run(keyring.holder(wrong)) is None


def test_without_any_key_nobody_is_let_in() -> None:
    """Neither by an empty key nor by any other."""
    for given in (b"", b"dk_0123456789"):
        assert asyncio.run(Keyring([]).holder(given)) is None


def test_an_empty_key_is_refused() -> None:
    """It would let anybody in."""
    with pytest.raises(ValueError, match="may not be empty"):
        Keyring(["good-key-0123456789", ""])


def test_who_has_no_key_at_all_is_told_when_it_starts(capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise they would look for the fault in their application."""

    async def nothing() -> Mapping[bytes, GoodKey]:
        return {}

    asyncio.run(Keyring([], nothing).start())
    assert "dunning keys create" in capsys.readouterr().out
    asyncio.run(Keyring(["good-key-0123456789"], nothing).start())
    assert capsys.readouterr().out == ""


def test_a_key_of_the_settings_needs_no_look_up() -> None:
    """While the database is away too, and it may ask for access alone."""
    shelf = Shelf()
    shelf.away = True
    assert shelf.ask(b"first-key-0123456789") == "DUNNING_API_KEYS"
    assert (shelf.reads, OF_THE_SETTINGS.scopes) == ([], {"access"})


def test_stored_keys_are_read_every_few_seconds() -> None:
    """However often they are used; who is revoked is out as soon as that."""
    shelf = Shelf()
    shelf.put(b"dk_one", "cases")
    for _ in range(100):
        assert shelf.ask(b"dk_one") == "label 1"
    shelf.keys.clear()
    shelf.time = STALE - 0.1
    assert shelf.ask(b"dk_one") == "label 1"
    shelf.time = STALE
    assert shelf.ask(b"dk_one") is None
    assert shelf.reads == [0.0, STALE]


def test_a_new_key_is_good_at_once_and_strangers_cost_a_statement_a_second() -> None:
    """Who is not known is looked for anew, but not for every stranger."""
    shelf = Shelf()
    assert shelf.ask(b"dk_one") is None
    shelf.put(b"dk_one", "cases")
    for _ in range(100):
        assert shelf.ask(b"dk_stranger") is None
    assert len(shelf.reads) == 1
    shelf.time = LOOK_AGAIN
    assert shelf.ask(b"dk_one") == "label 1"
    assert shelf.reads == [0.0, LOOK_AGAIN]


def test_an_expired_key_lets_nobody_in_whatever_was_read() -> None:
    """To the second, though the keys were read before."""
    shelf = Shelf()
    shelf.put(b"dk_one", "cases", expires_at=NOW + timedelta(seconds=2))
    assert shelf.ask(b"dk_one") == "label 1"
    shelf.time = 2.0
    assert shelf.ask(b"dk_one") is None


def test_a_database_that_is_away_lets_no_stranger_in() -> None:
    """What cannot be looked up is neither good nor bad; what was read a moment ago still counts."""
    shelf = Shelf()
    shelf.put(b"dk_one", "cases")
    assert shelf.ask(b"dk_one") == "label 1"
    shelf.away, shelf.time = True, STALE - 0.1
    assert shelf.ask(b"dk_one") == "label 1"
    shelf.time = STALE
    for given in (b"dk_one", b"dk_stranger"):
        with pytest.raises(Unavailable):
            shelf.ask(given)
    shelf.away = False
    assert shelf.ask(b"dk_one") == "label 1"


def test_all_who_ask_at_once_wait_for_one_answer() -> None:
    """Or for one error: nobody queues up behind a database that is away."""
    shelf = Shelf()
    shelf.away = True

    async def many() -> list[object]:
        asked = (shelf.keyring.holder(b"dk_one") for _ in range(50))
        return await asyncio.gather(*asked, return_exceptions=True)

    assert {type(each) for each in asyncio.run(many())} == {Unavailable}
    assert len(shelf.reads) == 1


def test_the_use_of_a_key_is_noted_now_and_then() -> None:
    """Once in ten minutes, and not at all for those of the settings."""
    shelf = Shelf()
    shelf.put(b"dk_one", "cases")

    async def use(times: int) -> None:
        for _ in range(times):
            for given in (b"dk_one", b"first-key-0123456789"):
                holder = await shelf.keyring.holder(given)
                assert holder
                shelf.keyring.note(holder)
        await asyncio.sleep(0)

    asyncio.run(use(20))
    shelf.time = NOTE_AGAIN
    asyncio.run(use(20))
    assert shelf.noted == [1, 1]
