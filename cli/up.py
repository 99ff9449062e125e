"""`dunning up`."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import CommandError, print_error
from settings import (
    ApiSettings,
    PortalSettings,
    Problem,
    ReceiverSettings,
    SchedulerSettings,
    SettingsError,
    ToolSettings,
    WorkerSettings,
    given,
    load,
)

if TYPE_CHECKING:
    from sandbox.processes import Exited
    from sandbox.server import Server
    from sandbox.supplies import Supplies

# What stands for the embedded servers while the other settings are checked; nobody connects to it.
PLANNED = {"DATABASE_URL": "postgresql:///planned?host=/planned", "REDIS_URL": "unix:///planned"}
SHOP_PORT = 8083  # of the application of the sandbox's merchant
PORTS = {"DUNNING_RECEIVER_PORT": 8080, "DUNNING_API_PORT": 8081, "DUNNING_PORTAL_PORT": 8082}
TRY_INSTEAD = "To try it without any of these: dunning up --sandbox"


def command(
    data_dir: Annotated[
        Path, typer.Option(help="Where the embedded servers keep their data.", metavar="DIRECTORY")
    ] = Path(".dunning"),
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox",
            help="Where nothing is set, use a simulated Stripe with three customers, and a local inbox.",
        ),
    ] = False,
    thin_events: Annotated[
        bool, typer.Option("--thin-events", help="In the sandbox: have Stripe send thin events.")
    ] = False,
) -> None:
    """Start everything in this terminal: receiver, two workers, scheduler, access API. Ctrl-C stops it.

    The page for customers is started too if DUNNING_PORTAL_URL is set, and in the sandbox.

    PostgreSQL and Valkey are embedded and keep their data, unless DATABASE_URL
    and REDIS_URL or BROKER_URL are set. A simulated Stripe forgets its customers when it ends,
    so with one everything starts afresh each time.
    Migrations are run first. A process that crashes is started again.

    \b
    Examples:
      dunning up --sandbox    nothing to set up, nothing leaves this machine
      dunning up              your Stripe account and mail server, from .env
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _up(data_dir, sandbox, thin_events=thin_events)
    except SettingsError as error:
        print_error("Settings", str(error), None if sandbox else TRY_INSTEAD)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _up(data_dir: Path, sandbox: bool, *, thin_events: bool) -> None:
    """Start everything and keep it running until SIGINT or SIGTERM. Raises SettingsError or CommandError."""
    found = given()
    with contextlib.ExitStack() as stack, _explained():
        supplies = _supply(stack, found, data_dir) if sandbox else None
        settings = {**os.environ, **(supplies.environment if supplies else {}), **_ports(found)}
        if supplies and supplies.stripe and "DUNNING_PORTAL_URL" not in found:
            settings |= _page(settings)
        if sys.stderr.isatty() and "DUNNING_LOG_FORMAT" not in found:
            settings["DUNNING_LOG_FORMAT"] = "console"
        _check({**settings, **{name: url for name, url in PLANNED.items() if name not in found}})
        # A simulated Stripe forgets its customers at the end: what was learnt of them is of no use then.
        kept = None if supplies and supplies.stripe else data_dir
        servers = _embedded(stack, found, kept)
        settings |= {name: server.url for name, server in servers.items()}
        _migrate(settings)
        _run(stack, settings, servers, supplies, thin_events=thin_events)


def _supply(stack: contextlib.ExitStack, found: Mapping[str, str], data_dir: Path) -> Supplies:
    from sandbox.supplies import supply

    return supply(stack, found, data_dir / "mails")


def _ports(found: Mapping[str, str]) -> dict[str, str]:
    """Where nobody has asked for a port: the usual one, or any other if that is taken."""
    from sandbox.programs import free_port

    return {name: str(free_port(usual)) for name, usual in PORTS.items() if name not in found}


def _page(settings: Mapping[str, str]) -> dict[str, str]:
    """The page for customers of a simulated Stripe: on this machine, with secrets of this start."""
    return {
        "DUNNING_PORTAL_URL": f"http://127.0.0.1:{settings['DUNNING_PORTAL_PORT']}",
        "DUNNING_LINK_SECRETS": secrets.token_hex(32),
        "DUNNING_PORTAL_STRIPE_KEY": settings["STRIPE_API_KEY"],
        "DUNNING_STRIPE_PAGES": settings["STRIPE_API_BASE"],
    }


def _has_page(settings: Mapping[str, str]) -> bool:
    return bool({**given(), **settings}.get("DUNNING_PORTAL_URL"))


def _metrics(names: Sequence[str]) -> dict[str, int]:
    """A port for the metrics of each process, counted on from the one that is set; nothing where none is."""
    from sandbox.programs import free_port

    first = given().get("DUNNING_METRICS_PORT")
    if first is None:
        return {}
    return {name: free_port(int(first) and int(first) + number) for number, name in enumerate(names)}


def _check(settings: Mapping[str, str]) -> None:
    """Raise SettingsError with the problems of all processes, each once."""
    problems: dict[str, Problem] = {}
    page = (PortalSettings,) if _has_page(settings) else ()
    for process in (ReceiverSettings, WorkerSettings, SchedulerSettings, ApiSettings, *page):
        try:
            load(process, settings)
        except SettingsError as error:
            problems |= {problem.name: problem for problem in error.problems}
    if problems:
        raise SettingsError(tuple(problems.values()))


def _embedded(stack: contextlib.ExitStack, found: Mapping[str, str], kept: Path | None) -> dict[str, Server]:
    """The servers that are not set, running, by the setting that names them."""
    from sandbox.postgres import embedded_postgres
    from sandbox.valkey import embedded_valkey

    servers: dict[str, Server] = {}
    if "DATABASE_URL" not in found:
        servers["DATABASE_URL"] = stack.enter_context(embedded_postgres(kept and kept / "postgres"))
    if not {"REDIS_URL", "BROKER_URL"} & found.keys():
        servers["REDIS_URL"] = stack.enter_context(embedded_valkey(kept and kept / "valkey"))
    return servers


def _migrate(settings: Mapping[str, str]) -> None:
    import asyncpg  # type: ignore[import-untyped]  # ships no annotations

    from db.migrate import upgrade

    try:
        upgrade(load(ToolSettings, settings).database_url_sqlalchemy)
    except (OSError, asyncpg.PostgresError) as error:
        raise CommandError(f"The database cannot be used: {error}", "Look at DATABASE_URL.") from error


def _run(
    stack: contextlib.ExitStack,
    settings: Mapping[str, str],
    servers: Mapping[str, Server],
    supplies: Supplies | None,
    *,
    thin_events: bool,
) -> None:
    from cli.up_addresses import api_url, mail_results_url, print_addresses, webhook_url
    from sandbox.processes import Processes, prefixed
    from sandbox.programs import PORTAL, PROGRAMS, command_line, free_port
    from sandbox.supplies import open_for_business, shop_command, tell_of_mails

    out = prefixed(sys.stderr)
    processes = Processes(out)
    stack.callback(processes.stop_all)  # they stop before the servers, which were started before them
    names = (*PROGRAMS, PORTAL) if _has_page(settings) else tuple(PROGRAMS)
    metrics = _metrics(names)
    for name in names:
        own = {**settings, "DUNNING_METRICS_PORT": str(metrics[name])} if metrics else settings
        processes.start(name, command_line(name), own, restart=True)
    if supplies:
        tell_of_mails(stack, supplies, mail_results_url(settings))
    customers = []
    shop = None
    if supplies and supplies.stripe:
        customers = open_for_business(supplies.stripe, webhook_url(settings), thin=thin_events)
        shop = f"http://127.0.0.1:{(port := free_port(SHOP_PORT))}"
        processes.start("shop", shop_command(port, api_url(settings), customers), settings, restart=True)
    print_addresses(settings, servers, supplies, customers, shop, metrics)

    def tell(exited: Exited) -> None:
        out(
            "up",
            f"{exited.name} ended with exit code {exited.code}, next start in {exited.restart_seconds} s",
        )

    def revive() -> None:
        for server in servers.values():
            if server.revive():
                out("up", f"{server.name} had ended and was started again")

    processes.run(tell, revive)
    out("up", "stopped")


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """What the machine cannot do, as an error of the command."""
    try:
        from sandbox.errors import SandboxError

        yield
    except SandboxError as error:
        raise CommandError(str(error)) from error
    except ModuleNotFoundError as missing:
        raise CommandError(
            f"{missing.name} is not installed.", "pip install 'dunning-worker[sandbox]'"
        ) from missing
