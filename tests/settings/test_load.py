"""Settings are read strictly, and what is wrong with them is said with its cure."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from settings import (
    ApiSettings,
    ReceiverSettings,
    SchedulerSettings,
    SettingsError,
    ToolSettings,
    WorkerSettings,
    load,
)
from settings.field import Settings
from settings.loading import fields_by_name
from settings.processes import PROCESSES
from tests.settings.examples import ALL, every_required_field, from_env, from_file


@pytest.mark.parametrize("process", PROCESSES)
def test_each_process_starts_with_complete_settings(process: type[Settings]) -> None:
    """One environment serves all processes, each taking what it knows."""
    assert from_env(process)


def test_values_arrive_in_the_types_the_processes_use() -> None:
    """Lists are split at commas, flags and numbers are read, defaults are filled in."""
    worker = from_env(WorkerSettings, DUNNING_WORKER_QUEUES="mail, team", DUNNING_TIMEZONE="Europe/Berlin")
    assert worker.worker_queues == ("mail", "team")
    assert worker.final_warning_hours == (72, 24)
    assert worker.livemode is False
    assert worker.timezone.key == "Europe/Berlin"
    assert worker.mail_domain == "acme.example"
    assert from_env(SchedulerSettings).tick_seconds == 1.0
    receiver = from_env(ReceiverSettings)
    assert [secret.get_secret_value() for secret in receiver.stripe_webhook_secrets] == [
        "whsec_test_one",
        "whsec_test_two",
    ]


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    """A value of the environment replaces that of .env, and .env fills what the environment leaves out."""
    text = f"DATABASE_URL={ALL['DATABASE_URL']}\nDUNNING_GRACE_DAYS=7\nDUNNING_ESCALATE_AFTER=5\n"
    settings = from_file(ToolSettings, tmp_path / ".env", text, DUNNING_GRACE_DAYS="21")
    assert (settings.grace_days, settings.escalate_after) == (21, 5)


def test_a_dollar_sign_in_the_file_is_a_dollar_sign(tmp_path: Path) -> None:
    """Passwords in .env are taken as they stand, without interpolation."""
    text = "DATABASE_URL='postgresql://dunning:pa${HOME}ss@127.0.0.1/dunning'\n"
    settings = from_file(ToolSettings, tmp_path / ".env", text)
    assert "pa${HOME}ss" in settings.database_url.get_secret_value()


def test_an_empty_value_counts_as_not_set() -> None:
    """Empty optional settings take their default, empty required ones are missing."""
    assert from_env(WorkerSettings, DUNNING_TEAM_EMAIL="", DUNNING_LOG_LEVEL=" ").team_email is None
    with pytest.raises(SettingsError, match="SMTP_URL is not set"):
        from_env(WorkerSettings, SMTP_URL="")


@pytest.mark.parametrize(("process", "name"), every_required_field())
def test_each_missing_setting_is_named_with_an_example(process: type[Settings], name: str) -> None:
    """A required setting is reported under its environment name, with its cure and an example."""
    env = {key: value for key, value in ALL.items() if key != name}
    with pytest.raises(SettingsError) as caught:
        load(process, env=env, env_file=None)
    (problem,) = caught.value.problems
    assert problem.name == name
    assert problem.wrong.startswith("is not set.")
    assert problem.cure
    assert f"for example: {name}=" in str(caught.value)


def test_all_problems_are_told_at_once() -> None:
    """Nobody has to start a process five times to learn of five mistakes."""
    with pytest.raises(SettingsError) as caught:
        load(WorkerSettings, env={"DUNNING_GRACE_DAYS": "0", "DUNNING_MAIL_FORM": "x"}, env_file=None)
    names = [problem.name for problem in caught.value.problems]
    assert {"DUNNING_MAIL_FORM", "DATABASE_URL", "SMTP_URL", "DUNNING_GRACE_DAYS"} <= set(names)
    assert len(names) == len(set(names))
    with pytest.raises(SettingsError, match=r"DATABASE_URL is not set(.|\n)*no billing system"):
        load(ReceiverSettings, env={}, env_file=None)


def test_an_unknown_dunning_variable_is_refused_with_a_suggestion() -> None:
    """A misspelt name must not leave a default in force."""
    with pytest.raises(
        SettingsError, match=r"DUNNING_GRACE_DAY is set in the environment(.|\n)*DUNNING_GRACE_DAYS"
    ):
        from_env(WorkerSettings, DUNNING_GRACE_DAY="3")


def test_an_unknown_key_in_the_file_is_refused(tmp_path: Path) -> None:
    """Whatever stands in .env is meant for us, except what belongs to Docker Compose."""
    text = "".join(f"{name}='{value}'\n" for name, value in ALL.items())
    assert from_file(ApiSettings, tmp_path / ".env", text + "COMPOSE_PROJECT_NAME=x\nPOSTGRES_PASSWORD=y\n")
    with pytest.raises(SettingsError, match=r"SMTP_URI is set in \.env(.|\n)*SMTP_URL"):
        from_file(ApiSettings, tmp_path / ".env", text + "SMTP_URI=smtp://x\n")


def test_a_setting_of_another_process_is_accepted_and_left_alone() -> None:
    """The scheduler shares .env with the worker, and neither needs nor holds its secrets."""
    assert "STRIPE_API_KEY" not in fields_by_name(SchedulerSettings)
    assert from_env(SchedulerSettings)


def test_a_near_miss_of_a_required_name_is_pointed_out() -> None:
    """The name is often written in another way."""
    env = {name: value for name, value in ALL.items() if name != "DATABASE_URL"}
    with pytest.raises(SettingsError, match="DATABASE_URI is set: did you mean DATABASE_URL"):
        load(ReceiverSettings, env=env | {"DATABASE_URI": "postgresql://x"}, env_file=None)


def test_an_unreadable_file_is_a_settings_error(tmp_path: Path) -> None:
    """A .env that is not UTF-8 is reported like any other mistake."""
    (tmp_path / ".env").write_bytes(b"DUNNING_BRAND_NAME=\xff\xfe\n")
    with pytest.raises(SettingsError, match="cannot be read"):
        load(ToolSettings, env={}, env_file=tmp_path / ".env")


def test_settings_cannot_be_changed_or_extended() -> None:
    """Built once, in the entry point, and then a value like any other."""
    settings = from_env(ToolSettings)
    with pytest.raises(ValidationError):
        settings.grace_days = 3
    with pytest.raises(ValidationError):
        ToolSettings(database_url=ALL["DATABASE_URL"], graze_days=3)
