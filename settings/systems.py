"""Billing systems and mail services have settings of their own, which stand in their packages."""

from collections.abc import Callable, Container, Iterator, Mapping
from typing import TypeVar

from pydantic import SecretStr

from providers.system import Process, Sender
from providers.systems import billing_systems, senders
from settings.errors import Problem
from settings.field import Settings

T = TypeVar("T", bound=Settings)


def with_systems(process: Process) -> Callable[[type[T]], type[T]]:
    """Let a process read what each package of `providers/` has for it: it is of those classes as well."""

    def join(own: type[T]) -> type[T]:
        theirs = [found for each in senders().values() if (found := each.settings().get(process))]
        same = {"__module__": own.__module__, "__qualname__": own.__qualname__, "__doc__": own.__doc__}
        return type(own.__name__, (*theirs, own), same)

    return join


def groups() -> Iterator[type[Settings]]:
    """Every class of theirs with settings of its own, once; what it stands on comes before it."""
    seen: set[type[Settings]] = set()
    for sender in senders().values():
        for settings in sender.settings().values():
            for each in reversed(settings.__mro__):
                ours = issubclass(each, Settings) and each.__module__.startswith("providers.")
                if ours and each not in seen:
                    seen.add(each)
                    yield each


def secrets(settings: Settings) -> dict[str, tuple[str, ...]]:
    """What the receiver knows senders by, by the settings' names."""
    return {name: found for each in senders().values() for name, found in _known_by(each, settings).items()}


def nobody_sends(given: Container[str]) -> list[Problem]:
    """What is wrong with a receiver that no billing system can send anything to."""
    names = [name for each in billing_systems() for name in _doors_of(each).values()]
    if any(name in given for name in names):
        return []
    *others, last = names
    return [
        Problem(
            f"{', '.join(others)} or {last}",
            "has to be set: no billing system can send events.",
            "Set the one of the system that bills your customers; docs/providers.md goes through each.",
        )
    ]


def lacking(known: Mapping[str, object], given: Mapping[str, str]) -> Iterator[Problem]:
    """Of the settings that a process knows, those that have to be given because of another, and are not."""
    for each in billing_systems():
        for because, name in each.needs.items():
            if name in known and name not in given and because in given:
                yield Problem(name, f"is not set, but {because} is.", "Set both, or neither.")


def _known_by(sender: Sender, settings: Settings) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(map(_plain, getattr(settings, attribute) or ()))
        for attribute, name in _doors_of(sender).items()
    }


def _doors_of(sender: Sender) -> dict[str, str]:
    """What the receiver reads of it, each a tuple: its names here and in the environment."""
    theirs = sender.settings().get("receiver")
    fields = theirs.model_fields if theirs else {}
    return {attribute: str(field.validation_alias) for attribute, field in fields.items()}


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
