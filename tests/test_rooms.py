"""Who may know whom, held by reading every import in the project."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# A room, or one module of it, and what of ours it may import. The longest matching key counts, and an entry
# with a dot allows that one module only. Rooms at the bottom of the table stand on those above.
MAY_IMPORT: dict[str, set[str]] = {
    "dunning": set(),
    "settings": set(),
    # Billing systems declare their settings themselves, with what declares ours; these two put both together.
    "settings.systems": {"settings.errors", "settings.field", "providers.system", "providers.systems"},
    "settings.docs": {"settings", "providers.systems"},
    "metrics": set(),
    "tracing": set(),
    "providers": {
        "dunning",
        "metrics",
        "tracing",
        "outbound",
        "settings.checks",
        "settings.connections",
        "settings.field",
        "settings.portal",
        "settings.webhooks",
    },
    "language": set(),
    "emails": {"dunning", "language"},
    "db": {"dunning"},
    "outbound": {"dunning"},
    "worker.queues": set(),
    "worker.redis_client": set(),
    "worker.rabbit": {"worker.queues"},
    "worker.lengths": {"worker.queues", "worker.redis_client", "worker.rabbit"},
    "metrics.whole": {"metrics", "dunning", "db", "worker.queues", "worker.lengths"},
    "portal.links": set(),
    "serving": {"metrics"},
    "webhooks": {
        "serving.protocol",
        "providers",
        "db.intake",
        "worker.queues",
        "worker.redis_client",
        "worker.rabbit",
        "settings",
        "metrics.family",
        "metrics.families",
        "metrics.text",
        "serving.watchdog",
        "tracing",
    },
    "worker": {
        "dunning",
        "settings",
        "providers",
        "emails",
        "db",
        "metrics",
        "outbound",
        "portal.links",
        "serving.watchdog",
        "tracing",
    },
    "portal": {"dunning", "language", "settings", "providers", "emails", "db", "worker", "serving"},
    "console": {
        "dunning",
        "language",
        "settings",
        "providers",
        "emails",
        "db",
        "outbound",
        "worker",
        "serving",
        "portal.links",
    },
    "sandbox": {
        "dunning",
        "settings",
        "providers",
        "emails",
        "db",
        "outbound",
        "worker",
        "webhooks",
        "console",
        "portal",
        "serving",
    },
    "cli": {
        "dunning",
        "settings",
        "providers",
        "emails",
        "db",
        "outbound",
        "worker",
        "webhooks",
        "console",
        "portal",
        "sandbox",
    },
}
ROOMS = {name for name in MAY_IMPORT if "." not in name}

# Libraries that are too heavy, or know too much, for a room.
MUST_NOT_IMPORT: dict[str, set[str]] = {
    "dunning": {"sqlalchemy", "asyncpg", "redis", "dramatiq", "httpx", "stripe", "structlog", "os", "socket"},
    "settings": {"sqlalchemy", "asyncpg", "redis", "dramatiq", "stripe", "jinja2", "typer", "rich"},
    "webhooks": {
        "stripe",
        "sqlalchemy",
        "jinja2",
        "fastapi",
        "typer",
        "rich",
        "prometheus_client",
        "opentelemetry",
    },
    "metrics.family": {"prometheus_client"},
    "metrics.families": {"prometheus_client"},
    "metrics.text": {"prometheus_client"},
    "outbound": {"sqlalchemy", "dramatiq", "redis", "structlog", "httpx"},
    "worker.queues": {"stripe", "sqlalchemy", "jinja2"},
}


def modules() -> list[str]:
    """The dotted name of every module in every room."""
    paths = [path for room in sorted(ROOMS) for path in sorted((ROOT / room).rglob("*.py"))]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]


@cache
def imports(module: str) -> frozenset[str]:
    """Everything `module` imports, wherever in the file: `from db import intake` gives `db.intake`."""
    source = (ROOT / Path(*module.split("."))).with_suffix(".py").read_text(encoding="utf-8")
    package = module.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*origin, *([node.module] if node.module else [])])
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return frozenset(found)


def is_within(name: str, place: str) -> bool:
    """`db.intake.Intake` is within `db.intake` and within `db`."""
    return f"{name}.".startswith(f"{place}.")


def entry(table: dict[str, set[str]], module: str) -> set[str]:
    """The table's line for `module`: the longest key it is within, or nothing."""
    keys = [key for key in table if is_within(module, key)]
    return table[max(keys, key=len)] if keys else set()


def strangers(module: str) -> set[str]:
    """What `module` imports of ours that is not in the table's line for it."""
    own = module.split(".")[0]
    allowed = entry(MAY_IMPORT, module) | (set() if module in MAY_IMPORT and "." in module else {own})
    ours = {name for name in imports(module) if name.split(".")[0] in ROOMS}
    return {name for name in ours if not any(is_within(name, place) for place in allowed)}


def burdens(module: str) -> set[str]:
    """What `module` imports of libraries that its room does without."""
    return {name for name in imports(module) if name.split(".")[0] in entry(MUST_NOT_IMPORT, module)}


def test_a_module_imports_only_rooms_it_may_know() -> None:
    """Each import of ours is in the table's line for the importing room."""
    assert {module: found for module in modules() if (found := strangers(module))} == {}


def test_a_module_imports_no_library_its_room_does_without() -> None:
    """The receiver stays small, the rules stay pure, the settings stay light."""
    assert {module: found for module in modules() if (found := burdens(module))} == {}


def test_one_module_knows_stripes_library() -> None:
    """Everybody else gets plain JSON and our own errors, which is what may be kept and logged."""
    assert [module for module in modules() if any(is_within(name, "stripe") for name in imports(module))] == [
        "providers.stripe.client"
    ]


def test_one_module_knows_commets_library() -> None:
    """As for Stripe's; the unrelated package of that name on PyPI is nowhere."""
    assert [module for module in modules() if any(is_within(name, "commet") for name in imports(module))] == [
        "providers.commet.client"
    ]


def test_one_module_knows_apprise() -> None:
    """It is large, and so are its habits: it is imported where a channel is used, and told how to behave."""
    knowing = [module for module in modules() if any(is_within(name, "apprise") for name in imports(module))]
    assert knowing == ["outbound.channels"]


def test_one_module_knows_opentelemetry() -> None:
    """Nobody pays for traces that nobody wants."""
    knowing = [each for each in modules() if any(is_within(name, "opentelemetry") for name in imports(each))]
    assert knowing == ["tracing.otel"]


def test_the_table_knows_every_room() -> None:
    """A new top-level package has to say where it stands."""
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - {"tests", "benchmarks"} <= ROOMS


def test_the_reader_of_imports_sees_them_all() -> None:
    """A control: nested and from-imports are found, and a forbidden one would fail the test above."""
    found = set(imports("cli.migrate"))
    assert {"asyncpg", "db.migrate.upgrade", "settings.load"} <= found
    assert not any(is_within("db.migrate.upgrade", place) for place in MAY_IMPORT["webhooks"])
    assert is_within("db.intake.Intake", "db.intake")
    assert not is_within("database.x", "data")
