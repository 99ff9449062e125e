"""The subcommands of `dunning`: name, module, one line of help. Modules are imported when they are called."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

PROCESSES = "Processes"
TRY = "Try it"
OPERATE = "Operate"


@dataclass(frozen=True, slots=True)
class Entry:
    """One subcommand. `target` is `module:attribute`, the attribute a typer.Typer or a plain function."""

    name: str
    target: str
    about: str
    panel: str


ENTRIES = (
    Entry("demo", "cli.demo:command", "Play thirty days of dunning through the real program.", TRY),
    Entry("up", "cli.up:command", "Start everything in this terminal, on servers of its own.", TRY),
    Entry("clock", "cli.clock:command", "Rehearse a month of another billing system.", TRY),
    Entry("emails", "cli.emails:app", "See every mail in every language; check your own templates.", TRY),
    Entry("receiver", "cli.receiver:command", "Take webhooks: verify, store, answer.", PROCESSES),
    Entry("worker", "cli.worker:command", "Apply events, advance cases, send mail.", PROCESSES),
    Entry("scheduler", "cli.scheduler:command", "Look for due work every second; run two.", PROCESSES),
    Entry("api", "cli.api:command", "Answer applications and the team over HTTP.", PROCESSES),
    Entry("portal", "cli.portal:command", "Show customers the page where a payment is fixed.", PROCESSES),
    Entry("migrate", "cli.migrate:command", "Bring the database to the newest schema.", OPERATE),
    Entry("roles", "cli.roles:command", "Database roles of the processes, each with its rights.", OPERATE),
    Entry("import", "cli.importing:app", "Take over a running business from Stripe.", OPERATE),
    Entry("status", "cli.status:command", "Is everything running, and is anything late?", OPERATE),
    Entry("reconcile", "cli.reconcile:command", "Take in what Stripe has said and nobody heard.", OPERATE),
    Entry("restored", "cli.restored:app", "A backup was brought back: send nothing twice.", OPERATE),
    Entry("dead", "cli.dead:app", "Events that were given up: look, try again, put away.", OPERATE),
    Entry("doctor", "cli.doctor:command", "What will go wrong: each risk and its cure.", OPERATE),
    Entry("breaker", "cli.breaker:app", "Is everything held back? Trip it, or release it.", OPERATE),
    Entry("access", "cli.access:command", "One customer's access, and why.", OPERATE),
    Entry("case", "cli.case:app", "List cases, show one; stop, pause, extend, forgive it.", OPERATE),
    Entry("customer", "cli.customer:app", "Exclude a customer, pause all of theirs, or go on.", OPERATE),
    Entry("forget", "cli.forget:command", "Forget who a customer is; the money trail stays.", OPERATE),
    Entry("team", "cli.team:app", "Try the channels by which your team is called.", OPERATE),
    Entry("webhooks", "cli.webhooks:app", "Endpoints of your application: add, rotate, replay.", OPERATE),
    Entry("events", "cli.events:app", "The neutral format for other billing systems.", OPERATE),
    Entry("link", "cli.link:command", "A link to a customer's page; or revoke those there are.", OPERATE),
    Entry("keys", "cli.keys:app", "Keys of the API: make one, list them, revoke one.", OPERATE),
    Entry("policy", "cli.policy:app", "Read a policy, try it, replay everything, move cases to it.", OPERATE),
    Entry("report", "cli.report:command", "What failed, what was recovered, by what, how fast.", OPERATE),
    Entry("explain", "cli.explain:command", "What happens next to a customer, and why.", OPERATE),
)

BY_NAME = {entry.name: entry for entry in ENTRIES}


def resolve(entry: Entry) -> Any:
    """Import the subcommand's module and return what `entry.target` names."""
    module, _, attribute = entry.target.partition(":")
    return getattr(import_module(module), attribute)
