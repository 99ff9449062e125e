"""A wrong template is found before the first mail is written, not by a customer."""

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

from emails.brand import Brand
from emails.catalogue import TeamEscalation
from emails.chat import chat_text
from emails.faults import Fault, TemplateFaultsError, fault_of, faults_at_rest
from emails.render import facts_of, render
from emails.samples import BRAND, NOW, samples
from emails.translations import SOURCE_LANGUAGE, languages

# Names a template sees besides the facts of its mail: the form it is written in, the finished subject in
# HTML, and the words of the mail in the common base.
_FRAME = frozenset({"layout", "subject", "words"})


def check_templates(folder: Path, brand: Brand = BRAND) -> None:
    """Read the templates in `folder`, then render every sample in every language with them; takes seconds.

    Raises TemplateFaultsError with every fault found. What can be seen without rendering is told first.
    """
    if not folder.is_dir():
        raise TemplateFaultsError((Fault(str(folder), None, "is not a folder"),))
    known = _FRAME.union(
        *(facts_of(props, brand, SOURCE_LANGUAGE, UTC, NOW) for _, props in samples()),
    )
    if at_rest := tuple(faults_at_rest(folder, known)):
        raise TemplateFaultsError(at_rest)
    # The same mistake shows in many mails and languages: it is told once, where it was seen first.
    found: dict[tuple[str, int | None], Fault] = {}
    for fault in _faults_in_use(folder, brand):
        found.setdefault((fault.file, fault.line), fault)
    if found:
        raise TemplateFaultsError(tuple(found.values()))


def _faults_in_use(folder: Path, brand: Brand) -> Iterator[Fault]:
    for language in languages():
        for name, props in samples():
            try:
                mail = render(props, brand=brand, locale=language, timezone=UTC, now=NOW, templates=folder)
                if isinstance(props, TeamEscalation):
                    chat_text(props, timezone=UTC, templates=folder)
            # A template can raise anything; what does not come from one is ours, and goes on.
            except Exception as error:
                fault = fault_of(error, folder, f"{name}, {language}")
                if fault is None:
                    raise
                yield fault
            else:
                if not mail.subject:
                    subject = folder / props.template / "subject.txt"
                    yield Fault(str(subject), None, f"the subject is empty (in {name}, {language})")
