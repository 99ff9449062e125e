"""The policies in force, apart from `worker.build`: a look at a case loads no Stripe."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from dunning.defaults import default_book
from dunning.policy import Policy
from dunning.policy_file import PolicyFileError, read_policy
from dunning.segments import PolicyBook, PolicySource
from providers.systems import abilities_of
from settings import (
    ApiSettings,
    ImportSettings,
    PolicySettings,
    PortalSettings,
    Problem,
    SettingsError,
    ToolSettings,
    WorkerSettings,
)


def policy(
    settings: WorkerSettings | PortalSettings | ToolSettings | ImportSettings | ApiSettings | PolicySettings,
) -> PolicySource:
    """Those of the policy file if one is set, else the one that the settings describe.

    Raises SettingsError for a file that cannot be read or meant.
    """
    zone = settings.timezone.key
    if settings.policy_file:
        return read_file(settings.policy_file, time_zone=zone)
    base = Policy(
        grace=timedelta(days=settings.grace_days),
        final_warnings=tuple(timedelta(hours=hours) for hours in settings.final_warning_hours),
        escalate_after=settings.escalate_after,
        at_expiry=settings.at_expiry,
        mail_gap=timedelta(hours=settings.mail_gap_hours),
        time_zone=zone,
    )
    version = hashlib.sha256(base.model_dump_json().encode()).hexdigest()[:12]
    return replace(default_book(base.model_copy(update={"key": f"{version}/base"})), abilities=abilities_of)


def read_file(path: Path, *, time_zone: str = "UTC") -> PolicyBook:
    """The policies of one file; `time_zone` counts where it names none.

    Raises SettingsError with each problem's line and field.
    """
    try:
        book = read_policy(path.read_text(encoding="utf-8"), time_zone=time_zone)
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "it is not UTF-8 text"
        cure = "Give the policy file's path, in DUNNING_POLICY_FILE or where you type a command."
        problem = Problem(str(path), f"cannot be read: {cause}", cure)
        raise SettingsError((problem,)) from None
    except PolicyFileError as error:
        cure = "docs/policy.md has every field."
        found = [
            Problem(f"{path}:{each.line}", f"{each.field}: {each.message}", cure) for each in error.problems
        ]
        raise SettingsError(tuple(found)) from None
    return replace(book, abilities=abilities_of)
