"""Complete settings of each process, as a user would write them."""

from pathlib import Path
from typing import TypeVar

from settings.field import Settings
from settings.loading import fields_by_name, load
from settings.processes import PROCESSES

T = TypeVar("T", bound=Settings)

ALL = {
    "DATABASE_URL": "postgresql://dunning:pass@127.0.0.1:5432/dunning",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "STRIPE_API_KEY": "rk_test_0123456789abcdef",
    "STRIPE_WEBHOOK_SECRETS": "whsec_test_one,whsec_test_two",
    "SMTP_URL": "smtp://user:pass@mail.example.com:587",
    "DUNNING_LIVEMODE": "false",
    "DUNNING_MAIL_FROM": "Acme Billing <billing@acme.example>",
    "DUNNING_BRAND_NAME": "Acme",
    "DUNNING_BRAND_SUPPORT_EMAIL": "support@acme.example",
    "DUNNING_BILLING_PAGE_URL": "https://acme.example/billing",
    "DUNNING_API_KEYS": "test-key-0123456789abcdef",
    "DUNNING_PORTAL_URL": "https://pay.acme.example",
    "DUNNING_LINK_SECRETS": "test-secret-0123456789abcdef0123456789abcdef",
}


def from_env(settings: type[T], **changes: str) -> T:
    """Load `settings` from the complete environment with `changes`, without any file."""
    return load(settings, env=ALL | changes, env_file=None)


def from_file(settings: type[T], path: Path, text: str, **env: str) -> T:
    """Load `settings` from a .env file of that text, and from `env`."""
    path.write_text(text, encoding="utf-8")
    return load(settings, env=env, env_file=path)


def every_required_field() -> list[tuple[type[Settings], str]]:
    """Each setting without a default of each process."""
    return [
        (process, name)
        for process in PROCESSES
        for name, field in fields_by_name(process).items()
        if field.is_required()
    ]
