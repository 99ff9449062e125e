"""Packages of `providers/` are found, asked by source, and answer by family."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

import providers
from console.doctor import systems as doctor
from console.doctor.finding import Level
from dunning.abilities import EVERYTHING, NOTHING, Ability
from providers import systems
from providers.by_source import BySource
from providers.lookup import Lookup, ProviderUnavailableError, Subject
from settings import WorkerSettings
from tests.settings.examples import from_env

AT = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("source", "family", "abilities"),
    [
        ("stripe", "stripe", EVERYTHING),
        ("stripe:de", "stripe", EVERYTHING),
        ("stripe:acct_1", "stripe", EVERYTHING),
        ("commet", "commet", frozenset({Ability.PAGES, Ability.SELL})),
        ("acme", "acme", NOTHING),
        ("acme:stripe", "acme", NOTHING),
        ("stripes", "stripes", NOTHING),
    ],
)
def test_the_part_before_the_colon_says_who_speaks(
    source: str, family: str, abilities: frozenset[object]
) -> None:
    """Whatever has no package speaks the neutral format."""
    assert systems.family_of(source) == family
    assert systems.abilities_of(source) == abilities
    speaks = systems.system_of(source)
    assert speaks is systems.senders()[family if family in ("stripe", "commet") else "neutral"]


def test_no_source_of_the_neutral_format_takes_the_name_of_a_family() -> None:
    """Billing systems' and mail services'."""
    assert systems.families() == {"stripe", "commet", "resend", "postmark", "ses"}


def test_a_folder_that_does_not_say_what_it_is_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told at the start, not when its events are missed."""
    (tmp_path / "silent").mkdir()
    (tmp_path / "silent" / "__init__.py").touch()
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(tmp_path)])
    with pytest.raises(TypeError, match="providers/silent has no SYSTEM"):
        systems.senders.__wrapped__()


def test_two_packages_cannot_want_one_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither would get all of its events."""
    twice = {"one": systems.senders()["commet"], "two": systems.senders()["commet"]}
    monkeypatch.setattr(systems, "senders", lambda: twice)
    with pytest.raises(ValueError, match="want /webhooks/commet"):
        systems.doors({"COMMET_WEBHOOK_SECRETS": ["secret"]})


def test_what_speaks_for_a_source_is_made_once_and_not_before_it_is_asked_for() -> None:
    """Also that nobody does."""
    asked: list[str] = []

    def make(source: str) -> str | None:
        asked.append(source)
        return None if source == "nobody" else source.upper()

    made = BySource(make)
    assert (list(made), len(made)) == ([], 0)
    assert [made.get(source) for source in ("a", "nobody", "a", "nobody")] == ["A", None, "A", None]
    assert (asked, list(made), len(made), "nobody" in made) == (["a", "nobody"], ["a"], 1, False)


def test_a_worker_without_its_key_lets_events_of_stripe_wait() -> None:
    """It is not taken for a billing system that cannot be asked, whose word would do to lock somebody out."""
    settings = from_env(WorkerSettings, STRIPE_API_KEY="", STRIPE_WEBHOOK_SECRETS="")
    gateway = systems.system_of("stripe").gateway("stripe", settings)
    assert gateway is not None
    with pytest.raises(ProviderUnavailableError, match="STRIPE_API_KEY is not set"):
        asyncio.run(gateway.look_up(Lookup(Subject.INVOICE, "in_1", AT)))
    missing, rest = doctor.judge(["acme", "stripe"], settings)
    assert (missing.level, rest.level) == (Level.FAULT, Level.GOOD)
    assert "STRIPE_API_KEY" in missing.said
