"""Where templates come from: a folder of the merchant's own, then `templates/`."""

from collections.abc import Mapping, MutableMapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from emails.translations import translations
from language.compiled import CompiledTemplates

TEMPLATES: Final = Path(__file__).parent / "templates"
_COMPILED: Final = {"html": CompiledTemplates(), "txt": CompiledTemplates()}


def fill(language: str, name: str, facts: Mapping[str, object], folder: Path | None = None) -> str:
    """One template with these facts; a fact it misses raises jinja2.UndefinedError."""
    kind = "html" if name.endswith(".html") else "txt"
    template = environment(language, kind, folder).get_template(name)
    return template.render(facts, layout=f"layout.{kind}")


class _Environment(Environment):
    """Jinja's own, whose templates begin with a plain dictionary of what all of them know.

    The chain of dictionaries that it would make for each is copied for every file that a mail is put together
    from, which took as long as to fill them.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}


@cache
def environment(language: str, kind: str, folder: Path | None = None) -> Environment:
    """The templates of one language, built once.

    There is one environment for HTML and one for text: the words are written down once, in .txt files both
    of them include, and only the first one escapes what is put into them.
    """
    made = _Environment(
        loader=_loader(folder),
        autoescape=kind == "html",
        undefined=StrictUndefined,
        bytecode_cache=_COMPILED[kind],
        # Templates were tried out when the process started, and not what they have become since.
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # Added to the environment by the i18n extension.
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    return made


def _loader(folder: Path | None) -> BaseLoader:
    """A file in `folder` stands in for ours of the same name, which it still reaches as `builtin/<name>`."""
    ours = FileSystemLoader(TEMPLATES)
    if folder is None:
        return ours
    return ChoiceLoader([FileSystemLoader(folder), ours, PrefixLoader({"builtin": ours})])
