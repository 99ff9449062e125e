"""Where everything is that `dunning up` has started, and what to do with it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote
from types import MappingProxyType
from typing import TYPE_CHECKING

from cli.output import console
from providers.systems import billing_systems
from settings import ApiSettings, ReceiverSettings, given, load
from settings.systems import secrets

if TYPE_CHECKING:
    from sandbox.demo.cast import Role
    from sandbox.server import Server
    from sandbox.supplies import Supplies

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  addresses to listen on, not to go to


def webhook_url(settings: Mapping[str, str]) -> str:
    """Where Stripe's events are taken."""
    receiver = load(ReceiverSettings, settings)
    return f"{_url(receiver.receiver_host, receiver.receiver_port)}/webhooks/stripe"


def _doors(settings: Mapping[str, str]) -> Iterator[str]:
    """Where the billing systems that are set up send their events."""
    receiver = load(ReceiverSettings, settings)
    known = secrets(receiver)
    for system in billing_systems():
        for path in system.doors(known):
            yield _url(receiver.receiver_host, receiver.receiver_port) + path


def mail_results_url(settings: Mapping[str, str]) -> str:
    """Where the sandbox's mail service says what became of mails."""
    receiver = load(ReceiverSettings, settings)
    return f"{_url(receiver.receiver_host, receiver.receiver_port)}/webhooks/resend"


def path_line() -> list[str]:
    """What lets another shell find `dunning`, which a checkout has in .venv only; nothing where it does."""
    if shutil.which("dunning"):
        return []
    return [f'export PATH="{Path(sys.executable).parent}:$PATH"']


def print_addresses(
    settings: Mapping[str, str],
    servers: Mapping[str, Server],
    supplies: Supplies | None,
    customers: list[Role],
    shop: str | None = None,
    metrics: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Print them, and commands for another terminal, on stdout."""
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    rows = Table.grid(padding=(0, 2))
    for name, value in _places(settings, servers, supplies, shop):
        rows.add_row(Text(name, "bold"), Text(value, overflow="fold"))
    if metrics:
        ports = ", ".join(f"{name} {port}" for name, port in metrics.items())
        rows.add_row(Text("metrics", "bold"), Text(f"/metrics on a port each: {ports}", overflow="fold"))
    out = console()
    out.print(Panel(rows, title="dunning up", title_align="left", border_style="green", expand=False))
    out.print("In another terminal:")
    for line in _commands(settings, servers, supplies, customers):
        out.print(f"  {line}", soft_wrap=True, markup=False)
    out.print()


def _places(
    settings: Mapping[str, str], servers: Mapping[str, Server], supplies: Supplies | None, shop: str | None
) -> Iterator[tuple[str, str]]:
    yield "webhooks", "\n".join(_doors(settings))
    yield "access API", _access(settings, "CUSTOMER")
    if page := {**given(), **settings}.get("DUNNING_PORTAL_URL"):
        yield "customers' page", page
    if shop:
        yield "your application", f"an example with the banner and the wall, {shop}"
    if supplies and supplies.stripe:
        yield "Stripe", f"simulated, {supplies.stripe.url}, key {supplies.stripe.api_key}"
    elif "STRIPE_API_KEY" in {**given(), **settings}:
        live = load(ReceiverSettings, settings).livemode
        yield "Stripe", "your account, live mode" if live else "your account, test mode"
    if supplies and supplies.inbox and supplies.inbox.index:
        yield "mails", f"stay here: {supplies.inbox.index.resolve().as_uri()}"
    else:
        yield "mails", "go out through the server in SMTP_URL"
    broker = ("BROKER_URL", "RabbitMQ") if "BROKER_URL" in given() else ("REDIS_URL", "Redis")
    for name, title in (("DATABASE_URL", "PostgreSQL"), broker):
        server = servers.get(name)
        yield title, f"embedded {server.name}, data in {server.data}" if server else f"yours, from {name}"


def _commands(
    settings: Mapping[str, str],
    servers: Mapping[str, Server],
    supplies: Supplies | None,
    customers: list[Role],
) -> Iterator[str]:
    yield from path_line()
    exported = {name: server.url for name, server in servers.items()}
    if supplies:
        # Commands ask, sign and send with what the sandbox has made up.
        exported |= supplies.environment
        if supplies.stripe:
            names = ("DUNNING_PORTAL_URL", "DUNNING_LINK_SECRETS")
            exported |= {name: settings[name] for name in names if name in settings}
    if exported:
        yield "export " + " ".join(f"{name}={quote(value)}" for name, value in exported.items())
    yield "dunning status"
    yield "dunning doctor"
    if supplies is None or supplies.stripe is None:
        yield "dunning case list"
        stripe = "STRIPE_API_KEY" in {**given(), **settings}
        if stripe and not load(ReceiverSettings, settings).livemode:
            # Stripe's command line signs with a secret of its own, which it prints when it starts.
            yield f"stripe listen --forward-to {webhook_url(settings)}"
            yield "# needs the whsec_... it prints in STRIPE_WEBHOOK_SECRETS, beside the endpoint's own"
        return
    from sandbox.supplies import days_later

    key = settings["DUNNING_API_KEYS"].split(",")[0] if "DUNNING_API_KEYS" in settings else "$KEY"
    yield "dunning case list"
    yield f"dunning explain {customers[0].customer.id}"
    yield f"dunning link {customers[0].customer.id}"
    yield f"curl -H 'Authorization: Bearer {key}' {_access(settings, customers[0].customer.id)}"
    yield f"{days_later(supplies.stripe, customers[0], 3)}    # three days later"


def _access(settings: Mapping[str, str], customer: str) -> str:
    return f"{api_url(settings)}/v1/access/{customer}"


def api_url(settings: Mapping[str, str]) -> str:
    """Where the access API answers."""
    api = load(ApiSettings, settings)
    return _url(api.api_host, api.api_port)


def _url(host: str, port: int) -> str:
    shown = "127.0.0.1" if host in EVERYWHERE else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"
