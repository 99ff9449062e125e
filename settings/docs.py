"""`python -m settings.docs` writes docs/settings.md and .env.example from what is declared.

And in docker-compose.yml, what billing systems and mail services have to be told there.
"""

from pathlib import Path
from textwrap import wrap

from pydantic.fields import FieldInfo

from providers.systems import senders
from settings import systems
from settings.breaker import Breaker
from settings.broker import PossibleBroker
from settings.connections import Database, Mode, Smtp
from settings.field import Settings, dispensable_with
from settings.loading import fields_by_name
from settings.messages import Brand, Display, Mail, Times
from settings.metrics import Metrics
from settings.policy import Policy
from settings.portal import Links, PortalServer
from settings.processes import (
    ApiSettings,
    ImportSettings,
    PortalSettings,
    ReceiverSettings,
    SchedulerSettings,
    ToolSettings,
    WorkerSettings,
)
from settings.rehearsal import Rehearsal
from settings.retention import Retention
from settings.serving import ApiServer, Logs, ReceiverServer, SchedulerProcess, WorkerProcess
from settings.sessions import Sessions
from settings.sources import Sources
from settings.team import Team
from settings.traces import Traces
from settings.webhooks import WebhookEndpoints, WebhookRules

ROOT = Path(__file__).resolve().parent.parent

GROUPS: dict[str, type[Settings]] = {
    "Database": Database,
    "Database sessions": Sessions,
    "Queues": PossibleBroker,
    "Live or test": Mode,
    **{str(each.model_config["title"]): each for each in systems.groups()},
    "Billing systems": Sources,
    "A month rehearsed": Rehearsal,
    "Mail server": Smtp,
    "Sender": Mail,
    "Brand": Brand,
    "Links": Display,
    "Page for customers": Links,
    "Dates": Times,
    "Your team": Team,
    "Your application": WebhookEndpoints,
    "Your application's network": WebhookRules,
    "Policy": Policy,
    "Breaker": Breaker,
    "Privacy": Retention,
    "Receiver": ReceiverServer,
    "Access API": ApiServer,
    "Server of the page": PortalServer,
    "Worker": WorkerProcess,
    "Scheduler": SchedulerProcess,
    "Metrics": Metrics,
    "Traces": Traces,
    "Logs": Logs,
}

READERS: dict[str, type[Settings]] = {
    "receiver": ReceiverSettings,
    "worker": WorkerSettings,
    "scheduler": SchedulerSettings,
    "api": ApiSettings,
    "portal": PortalSettings,
    "commands": ToolSettings,
    "import": ImportSettings,
}

INTRODUCTION = """\
# Settings

Written by `python -m settings.docs` from the declarations in `settings/` and `providers/`; do not edit.

Settings are environment variables. A file `.env` in the working directory is read as well; the environment
goes before it, and `.env.example` is one to start from. An empty value counts as not set.
Put a value with a space, a `#` or a `$` in single quotes: then it means the same to Docker Compose.

Each process asks for the settings it uses and no others: the receiver needs no Stripe key and no mail server.
One billing system at least has to be set up, and no particular one: [providers.md](providers.md) goes through
each.
"Commands" are what people type, such as `dunning status`, `case` and `explain`; "import" is `dunning import`
and `reconcile`. `dunning team test` reads what the worker reads, and `dunning doctor` all of it.

A process with a wrong or missing setting does not start: it names every one of them with what to do about it,
and exits with code 2. So does a process that finds a `DUNNING_` variable, or a key in `.env`, that does not
exist: a misspelt name would otherwise leave a default in force. `COMPOSE_` and `POSTGRES_` keys in `.env` are
left to Docker Compose.
"""

COMPOSE_BEGIN = "# Billing systems and mail services. Written by `python -m settings.docs`.\n"
COMPOSE_END = "# Ours again.\n"
# What a simulated Stripe is for, and what these have in common with others, which stands there already.
ELSEWHERE = {"STRIPE_API_BASE", *fields_by_name(WebhookRules)}

ENV_INTRODUCTION = """\
# Copy this file to .env. Fill in what is empty; the lines with # before a name show defaults and examples.
# Set up a billing system as well: Stripe by STRIPE_WEBHOOK_SECRETS and STRIPE_API_KEY, or another.
# docs/settings.md says which process reads what. Written by `python -m settings.docs`.
"""


def markdown() -> str:
    """The text of docs/settings.md."""
    sections = [INTRODUCTION]
    for title, group in GROUPS.items():
        rows = [_row(name, field) for name, field in _own_fields(group).items()]
        head = ["| Setting | Default | Read by | What it does |", "| --- | --- | --- | --- |"]
        sections.append("\n".join([f"## {title}", "", f"{group.__doc__}", "", *head, *rows, ""]))
    return "\n".join(sections)


def env_example() -> str:
    """The text of .env.example. What is required stands empty: nobody shall run on a secret from here."""
    sections = [ENV_INTRODUCTION]
    for title, group in GROUPS.items():
        lines = [f"# --- {title}: {group.__doc__}"]
        for name, field in _own_fields(group).items():
            lines += [f"# {line}" for line in wrap(str(field.description), 105)]
            if _is_to_be_given(field):
                lines.append(f"# For example: {_example(field)}")
            lines.append(_assignment(name, field))
        sections.append("\n".join([*lines, ""]))
    return "\n".join(sections)


def compose(text: str) -> str:
    """docker-compose.yml with the settings of each package in providers/ between its two marks."""
    begin, end = text.index(COMPOSE_BEGIN) + len(COMPOSE_BEGIN), text.index(COMPOSE_END)
    lines = []
    for process in ("receiver", "worker", "portal"):
        lines.append(f"x-{process}-systems: &{process}-systems\n")
        for each in senders().values():
            theirs = each.settings().get(process)
            fields = theirs.model_fields.values() if theirs else ()
            names = [str(field.validation_alias) for field in fields]
            lines += [f"  {name}:\n" for name in names if name not in ELSEWHERE]
        lines.append("\n")
    return text[:begin] + "".join(lines) + text[end:]


def _own_fields(group: type[Settings]) -> dict[str, FieldInfo]:
    return {
        str(field.validation_alias): field
        for attribute, field in group.model_fields.items()
        if attribute in group.__annotations__  # not those of a base: they stand in its own group
    }


def _row(name: str, field: FieldInfo) -> str:
    readers = [reader for reader, settings in READERS.items() if name in fields_by_name(settings)]
    who = "all" if len(readers) == len(READERS) else ", ".join(readers)
    about = f"{field.description} {_hint(field)}".rstrip().replace("|", "\\|")
    return f"| `{name}` | {_default(field)} | {who} | {about} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if other := dispensable_with(field):
        return f"required without `{other}`"
    return f"`{_written(field.default)}`" if _has_default(field) else ""


def _has_default(field: FieldInfo) -> bool:
    return not field.is_required() and field.default_factory is None and field.default not in (None, ())


def _is_to_be_given(field: FieldInfo) -> bool:
    return field.is_required() or dispensable_with(field) is not None


def _assignment(name: str, field: FieldInfo) -> str:
    if _is_to_be_given(field):
        return f"{name}="
    return f"#{name}={_quoted(_written(field.default) if _has_default(field) else _example(field))}"


def _hint(field: FieldInfo) -> str:
    example = _example(field)
    return "" if _has_default(field) and example == _written(field.default) else f"For example `{example}`."


def _example(field: FieldInfo) -> str:
    return str((field.examples or [""])[0])


def _written(value: object) -> str:
    """A default as one writes it in the environment."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _quoted(text: str) -> str:
    return f"'{text}'" if set(text) & set(" #<>") else text


def main() -> None:
    """Write the files."""
    (ROOT / "docs" / "settings.md").write_text(markdown(), encoding="utf-8")
    (ROOT / ".env.example").write_text(env_example(), encoding="utf-8")
    file = ROOT / "docker-compose.yml"
    file.write_text(compose(file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
