"""What is wrong with a merchant's own templates, each fault with its file and line."""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from typing import Final

from jinja2 import FileSystemLoader, TemplateNotFound, TemplateSyntaxError, nodes
from jinja2.meta import find_referenced_templates, find_undeclared_variables

from emails.environment import TEMPLATES, environment
from emails.translations import SOURCE_LANGUAGE

_SUFFIXES: Final = frozenset({".css", ".html", ".txt"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake: `file` as a path, `line` from 1, or None when it concerns the whole file."""

    file: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message}"


class TemplateFaultsError(Exception):
    """A merchant's own templates cannot be used. The message has one line per fault."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def fault_of(error: Exception, folder: Path, mail: str) -> Fault | None:
    """Where in a template `error` came up while `mail` was written; None when it did not come from one.

    A place in the merchant's folder goes before one in ours: a macro of ours may have been called wrongly.
    """
    if isinstance(error, TemplateSyntaxError):
        return Fault(error.filename or str(error.name), error.lineno, str(error.message))
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    for root in (folder, TEMPLATES):
        for file, line in reversed(frames):
            if Path(file).is_relative_to(root):
                said = f"there is no template {error}" if isinstance(error, TemplateNotFound) else str(error)
                return Fault(file, line, f"{said} (in {mail})")
    return None


def faults_at_rest(folder: Path, known: Set[str]) -> Iterator[Fault]:
    """What can be seen without rendering: syntax, names no mail has, files nothing uses.

    `known` are the facts of all mails. A branch no sample reaches is read here too.
    """
    parsed: dict[str, nodes.Template] = {}
    asked: dict[str, set[str]] = {}
    ours = environment(SOURCE_LANGUAGE, "txt", folder)
    for name in _names(folder):
        path = folder / name
        try:
            tree = ours.parse(path.read_text(encoding="utf-8"), name, str(path))
            asked[name] = find_undeclared_variables(tree)  # complains of an unknown filter, too
            parsed[name] = tree
        except TemplateSyntaxError as error:
            yield Fault(str(path), error.lineno, str(error.message))
        except (OSError, UnicodeDecodeError):
            yield Fault(str(path), None, "cannot be read as UTF-8 text")
    own = {name for tree in parsed.values() for name in _assigned(tree)}
    used = {name for tree in parsed.values() for name in find_referenced_templates(tree)}
    for name, tree in parsed.items():
        unknown = asked[name] - known - own - ours.globals.keys()
        for node in tree.find_all(nodes.Name):
            if node.name in unknown:
                yield Fault(str(folder / name), node.lineno, f"no mail has anything called {node.name!r}")
        # None stands for a name that is put together when the template runs.
        if not (TEMPLATES / name).exists() and not used & {name, None}:
            yield Fault(str(folder / name), None, "replaces no template, and none of yours uses it")


def _names(folder: Path) -> list[str]:
    """The templates in a folder. What starts with a dot is left out: Kubernetes mounts keep copies there."""
    found = FileSystemLoader(folder, followlinks=True).list_templates()
    paths = [name for name in found if not any(part.startswith(".") for part in Path(name).parts)]
    return [name for name in paths if Path(name).suffix in _SUFFIXES]


def _assigned(tree: nodes.Template) -> Iterator[str]:
    """Names a template sets or imports: a template it includes sees them."""
    yield from (node.name for node in tree.find_all(nodes.Name) if node.ctx == "store")
    yield from (node.name for node in tree.find_all(nodes.Macro))
    yield from (node.target for node in tree.find_all(nodes.Import))
    for node in tree.find_all(nodes.FromImport):
        yield from (name if isinstance(name, str) else name[1] for name in node.names)
