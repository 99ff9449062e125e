"""A worker's parts from its settings: what is wrong stops the start and says what to do."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dunning.breaker import Limits
from dunning.segments import PolicyBook
from settings import SettingsError, WorkerSettings, load
from worker import build
from worker.breaker import limits
from worker.policy import policy

ENVIRONMENT = {
    "DATABASE_URL": "postgresql://dunning@127.0.0.1/dunning",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "STRIPE_API_KEY": "sk_test_0123456789",
    "DUNNING_LIVEMODE": "false",
    "SMTP_URL": "smtp://127.0.0.1:2525",
    "DUNNING_MAIL_FROM": "billing@merchant.example",
    "DUNNING_BRAND_NAME": "Acme",
    "DUNNING_BRAND_SUPPORT_EMAIL": "support@merchant.example",
    "DUNNING_BILLING_PAGE_URL": "https://merchant.example/billing",
}


def settings(**more: Any) -> WorkerSettings:
    return load(WorkerSettings, env=ENVIRONMENT | more, env_file=None)


def test_settings_alone_make_the_base_policy() -> None:
    """Without a file their figures count, with the usual segments beside them."""
    made = policy(settings(DUNNING_GRACE_DAYS="22"))
    build.check(settings())
    assert isinstance(made, PolicyBook)
    assert made.base.grace == timedelta(days=22)
    assert [segment.name for segment in made.segments] == ["trial-conversion", "weekly", "annual"]


def test_the_breakers_limits_come_from_the_settings() -> None:
    """Each number from its own; the defaults of both places are the same; off, there are none."""
    assert limits(settings()) == Limits()
    given = {
        "DUNNING_SURGE_FLOOR": "50",
        "DUNNING_SURGE_FACTOR": "2.5",
        "DUNNING_PROCESSING_ERROR_SHARE": "0.5",
        "DUNNING_REVOCATIONS_PER_HOUR": "0",
        "DUNNING_REVOCATIONS_PER_DAY_SHARE": "1",
    }
    assert limits(settings(**given)) == Limits(
        surge_floor=50,
        surge_factor=2.5,
        processing_error_share=0.5,
        revocations_per_hour=0,
        revocations_per_day_share=1,
    )
    assert limits(settings(DUNNING_BREAKER="off")) is None


def test_a_policy_file_takes_the_place_of_the_figures(tmp_path: Path) -> None:
    """It is read at the start, with its segments."""
    file = tmp_path / "policy.toml"
    file.write_text('[[segment]]\nname = "annual"\nwhen = { interval = "year" }\ngrace = "21d"\n')
    made = policy(settings(DUNNING_POLICY_FILE=str(file)))
    assert isinstance(made, PolicyBook)
    assert [segment.name for segment in made.segments] == ["annual"]


@pytest.mark.parametrize(
    ("text", "words"),
    [('\ngrace = "soon"\n', "policy.toml:2 grace: write a number and a unit"), (None, "cannot be read")],
    ids=["a mistake", "no file"],
)
def test_a_wrong_policy_file_stops_the_start(tmp_path: Path, text: str | None, words: str) -> None:
    """With its line and field, or with why it cannot be read."""
    file = tmp_path / "policy.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError, match=words):
        build.check(settings(DUNNING_POLICY_FILE=str(file)))


def test_a_wrong_template_stops_the_start(tmp_path: Path) -> None:
    """With its file and line, before a customer sees it."""
    (tmp_path / "payment_failed").mkdir()
    (tmp_path / "payment_failed/subject.txt").write_text("About {{ amuont }}\n")
    with pytest.raises(SettingsError, match=r"subject\.txt:1"):
        build.check(settings(DUNNING_EMAIL_TEMPLATES=str(tmp_path)))


def test_a_first_warning_of_less_than_three_days_is_refused() -> None:
    """Nobody loses access without it."""
    with pytest.raises(SettingsError, match="72 or more"):
        settings(DUNNING_FINAL_WARNING_HOURS="48,24")
