"""A merchant's own templates: used where they are right, named with file and line where they are wrong."""

import shutil
from datetime import UTC
from pathlib import Path

import pytest

from dunning.declines import Category
from emails.check import check_templates
from emails.environment import TEMPLATES
from emails.faults import TemplateFaultsError
from emails.render import RenderedMail, render
from emails.samples import BRAND, NOW, payment_failed

SUBJECT = "payment_failed/subject.txt"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path) -> str:
    with pytest.raises(TemplateFaultsError) as caught:
        check_templates(folder)
    assert str(caught.value) == "\n".join(map(str, caught.value.faults))
    return str(caught.value)


def rendered(folder: Path | None, locale: str = "en") -> RenderedMail:
    props = payment_failed(Category.UNKNOWN)
    return render(props, brand=BRAND, locale=locale, timezone=UTC, now=NOW, templates=folder)


def test_a_file_stands_in_for_ours_of_the_same_name(tmp_path: Path) -> None:
    """The subject is the merchant's and everything else is as before; without the folder all of it is."""
    write(tmp_path, SUBJECT, "About your {{ brand.name }} payment of {{ amount }}")
    check_templates(tmp_path)
    mine, ours = rendered(tmp_path), rendered(None)
    assert mine.subject == "About your Northwind payment of €19.99"
    assert mine.text == ours.text
    assert ours.subject != mine.subject


def test_one_sentence_can_be_changed_and_the_rest_kept(tmp_path: Path) -> None:
    """Ours is reached as builtin/...: a template of the merchant's adds to it instead of repeating it."""
    write(
        tmp_path,
        "payment_failed/words.txt",
        '{% import "builtin/payment_failed/words.txt" as ours with context %}\n'
        "{% macro preheader() %}{{ ours.preheader() }}{% endmacro %}\n"
        '{% macro headline() %}{{ "Hallo" if lang.startswith("de") else ours.headline() }}{% endmacro %}\n'
        "{% macro message() %}{{ ours.message() }}{% endmacro %}\n"
        "{% macro why() %}{{ ours.why() }}{% endmacro %}\n",
    )
    check_templates(tmp_path)
    assert rendered(tmp_path) == rendered(None)
    assert rendered(tmp_path, "de").text.startswith("Hallo\n")


def test_our_own_templates_pass_as_somebodys(tmp_path: Path) -> None:
    """A folder that starts as a copy of ours is right from the beginning."""
    shutil.copytree(TEMPLATES, tmp_path / "mine")
    check_templates(tmp_path / "mine")


def test_a_file_of_ones_own_may_be_included(tmp_path: Path) -> None:
    """It sees what the template that includes it has set."""
    write(tmp_path, SUBJECT, '{% set tone = "kindly" %}{% include "parts/subject.txt" %}')
    write(tmp_path, "parts/subject.txt", "{{ brand.name }} {{ tone }} asks")
    write(tmp_path, "README.md", "{{ not a template }}")
    write(tmp_path, "..2026_copy/payment_failed/subjekt.txt", "{{ left alone }}")
    check_templates(tmp_path)
    assert rendered(tmp_path).subject == "Northwind kindly asks"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("Hello\n{% if %}", 2, "Expected an expression"),
        ("{{ brand.name }}\n{{ amout }}", 2, "'amout'"),
        ("{{ brand.nmae }}", 1, "'emails.brand.Brand object' has no attribute 'nmae'"),
        ("{{ amount|shout }}", 1, "No filter named 'shout'"),
        ('\n\n{% include "nowhere.txt" %}', 3, "there is no template nowhere.txt"),
        ("{{ 1 // other_open }}", 1, "division"),
        # No sample pays with a cheque, so no rendering would ever find this one.
        ('Hello\n{% if category == "cheque" %}{{ cheque_number }}{% endif %}', 2, "'cheque_number'"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(text: str, line: int, said: str, tmp_path: Path) -> None:
    """One line for one mistake, however many mails and languages it spoils."""
    path = write(tmp_path, SUBJECT, text)
    told = faults(tmp_path)
    assert told.startswith(f"{path}:{line}: ")
    assert said in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("payment_failed/subjct.txt", "Hello", "replaces no template, and none of yours uses it"),
        (SUBJECT, "  \n", "the subject is empty (in payment_failed-insufficient_funds, en)"),
    ],
)
def test_a_file_that_would_silently_do_the_wrong_thing(
    name: str, text: str, said: str, tmp_path: Path
) -> None:
    """A misspelt name leaves ours in force; an empty subject is a mail nobody opens."""
    assert faults(tmp_path / "mine") == f"{tmp_path / 'mine'}: is not a folder"
    assert faults(write(tmp_path, f"mine/{name}", text).parents[1]) == f"{tmp_path / 'mine' / name}: {said}"


def test_words_that_are_missing_are_named_where_they_are_asked_for(tmp_path: Path) -> None:
    """A words.txt without one of its macros: our base says which."""
    write(tmp_path, "payment_failed/words.txt", "{% macro headline() %}Hi{% endmacro %}")
    told = faults(tmp_path)
    assert "base.txt" in told
    assert "no attribute 'message'" in told
    assert "(in payment_failed-insufficient_funds, en)" in told


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """Latin-1 read as UTF-8 would fail on the first umlaut."""
    write(tmp_path, SUBJECT, "").write_bytes("Zahlung für Sie".encode("latin-1"))
    assert "cannot be read as UTF-8 text" in faults(tmp_path)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Nobody wants to start the worker once per mistake."""
    write(tmp_path, SUBJECT, "{{ amout }}")
    write(tmp_path, "access_ended/subject.txt", "{{ resaon }}")
    assert len(faults(tmp_path).splitlines()) == 2
