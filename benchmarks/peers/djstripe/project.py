"""The smallest Django project with dj-stripe in it, served as Django is: by threads with a connection each.

As dj-stripe comes, it processes an event before it answers: it asks Stripe for what the event is about and
stores that too. With PROCESSING=queue it leaves that to a task queue, of which there is none here: it
verifies, stores and does nothing else.

The Python of `benchmarks.peers.djstripe.environment` runs it, not ours: `project.py SECRET` makes the tables
and the endpoint, and gunicorn serves `project:application`.
"""

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import django  # type: ignore[import-not-found]  # as above
from django.conf import settings  # type: ignore[import-not-found]  # as above

ENDPOINT = UUID("0b7c1d2e-5f64-4a83-9b0e-3c8d5a7f1e29")
PATH = f"/stripe/webhook/{ENDPOINT}/"

_database = urlsplit(os.environ["DATABASE_URL"])
_options = parse_qs(_database.query)


def _leave_it(trigger: Any, api_key: str) -> None:
    """Where dj-stripe's documentation hands an event to a task queue."""


settings.configure(
    SECRET_KEY="benchmarks",  # noqa: S106  # signs nothing: there are no sessions
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    # The tables as the models have them at once, which is what more than a minute of migrations comes to.
    MIGRATION_MODULES=dict.fromkeys(("auth", "contenttypes", "djstripe")),
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "djstripe"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _database.path[1:],
            "USER": _database.username,
            "HOST": _options["host"][0],
            "PORT": _options["port"][0],
            "CONN_MAX_AGE": None,  # one connection for each thread, kept
        }
    },
    DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
    # None: it processes the event itself, before it answers.
    DJSTRIPE_WEBHOOK_EVENT_CALLBACK=_leave_it if os.environ["PROCESSING"] == "queue" else None,
    STRIPE_API_HOST=os.environ["STRIPE_API_BASE"],
    STRIPE_LIVE_MODE=False,
    STRIPE_TEST_SECRET_KEY="sk_test_benchmarks0123456789abcdef",  # noqa: S106  # of nobody
)
django.setup()

from django.core.management import call_command  # type: ignore[import-not-found]  # noqa: E402  # once set up
from django.core.wsgi import get_wsgi_application  # type: ignore[import-not-found]  # noqa: E402
from django.http import HttpRequest, HttpResponse  # type: ignore[import-not-found]  # noqa: E402
from django.urls import include, path  # type: ignore[import-not-found]  # noqa: E402


def health(_: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok")


urlpatterns = [path("stripe/", include("djstripe.urls", namespace="djstripe")), path("healthz", health)]
application = get_wsgi_application()


def prepare(secret: str) -> None:
    """Make the tables, and the endpoint whose events `secret` signs."""
    from djstripe.models import Account, APIKey, WebhookEndpoint  # type: ignore[import-not-found]  # as above

    call_command("migrate", run_syncdb=True, verbosity=0)
    # Whose key it is: what it has asked Stripe once, before the first event.
    account = Account.objects.create(id="acct_benchmarks", livemode=False)
    key, _ = APIKey.objects.get_or_create_by_api_key(settings.STRIPE_TEST_SECRET_KEY)
    APIKey.objects.filter(id=key.id).update(djstripe_owner_account=account)
    WebhookEndpoint.objects.create(
        id="we_benchmarks",
        djstripe_uuid=ENDPOINT,
        secret=secret,
        livemode=False,
        enabled_events=["*"],
        status="enabled",
        url=f"https://{Path(__file__).stem}.example{PATH}",
    )


if __name__ == "__main__":
    prepare(sys.argv[1])
