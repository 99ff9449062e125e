"""Any billing system is enough to start with; none is not."""

from itertools import pairwise

import pytest
from pydantic import field_validator

from settings import ImportSettings, PortalSettings, ReceiverSettings, SettingsError, WorkerSettings, load
from settings.field import Settings
from settings.systems import secrets
from tests.settings.examples import ALL

NOBODY = {name: value for name, value in ALL.items() if not name.startswith("STRIPE_")}
HEX = "acme hex 0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COMMET_WEBHOOK_SECRETS", "whsec_test"),
        ("DUNNING_EVENT_SOURCES", HEX),
        ("STRIPE_WEBHOOK_SECRETS", "whsec_test"),
    ],
)
def test_a_receiver_needs_the_secrets_of_one_billing_system(name: str, value: str) -> None:
    """Whichever it is; what it hands on is what is set."""
    found = secrets(load(ReceiverSettings, env=NOBODY | {name: value}, env_file=None))
    assert {key: known for key, known in found.items() if known} == {name: (value,)}


@pytest.mark.parametrize("more", [{}, {"POSTMARK_WEBHOOK_PASSWORDS": "test-password-0123456789"}])
def test_without_any_it_names_the_choices(more: dict[str, str]) -> None:
    """A mail service bills nobody."""
    with pytest.raises(SettingsError) as caught:
        load(ReceiverSettings, env=NOBODY | more, env_file=None)
    (problem,) = caught.value.problems
    *others, last = problem.name.replace(" or ", ", ").split(", ")
    assert (others[:3], last) == (
        ["COMMET_WEBHOOK_SECRETS", "DUNNING_EVENT_SOURCES", "STRIPE_WEBHOOK_SECRETS"],
        "STRIPE_CONNECT_WEBHOOK_SECRETS",
    )


@pytest.mark.parametrize("process", [WorkerSettings, PortalSettings, ImportSettings])
def test_no_other_process_needs_a_key_of_stripes(process: type[WorkerSettings]) -> None:
    """Unless Stripe sends events: then a worker without one would let each of them wait."""
    assert load(process, env=NOBODY, env_file=None)
    with pytest.raises(SettingsError, match="STRIPE_API_KEY is not set, but STRIPE_WEBHOOK_SECRETS is"):
        load(WorkerSettings, env=NOBODY | {"STRIPE_WEBHOOK_SECRETS": "whsec_test"}, env_file=None)


@pytest.mark.parametrize("process", [ReceiverSettings, WorkerSettings, PortalSettings, ImportSettings])
def test_no_two_classes_give_a_setting_or_a_check_the_same_name(process: type[Settings]) -> None:
    """Pydantic keeps one check of each name: the other would be switched off without a word."""
    owners: dict[str, list[type[Settings]]] = {}
    for each in process.__mro__[1:]:
        if issubclass(each, Settings) and each is not Settings:
            checks = each.__pydantic_decorators__.field_validators.keys() & vars(each).keys()
            for name in vars(each).get("__annotations__", {}).keys() | checks:
                owners.setdefault(name, []).append(each)
    shared = {
        name: both
        for name, both in owners.items()
        if any(not issubclass(one, other) for one, other in pairwise(both))
    }
    assert shared == {}


def test_two_checks_of_one_name_would_be_found() -> None:
    """What the test before looks for: of two such classes pydantic asks one."""

    class One(Settings):
        first: str = "a"

        @field_validator("first")
        @classmethod
        def _same(cls, value: str) -> str:
            raise ValueError("refused")

    class Other(Settings):
        second: str = "b"

        @field_validator("second")
        @classmethod
        def _same(cls, value: str) -> str:
            return value

    class Both(Other, One):
        """Of both."""

    assert Both(first="c").first == "c"
    with pytest.raises(AssertionError):
        test_no_two_classes_give_a_setting_or_a_check_the_same_name(Both)
