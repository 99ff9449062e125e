"""The gallery shows what customers will get."""

from pathlib import Path

import pytest

from emails.catalogue import Mail
from emails.preview import write_gallery
from emails.samples import samples
from emails.translations import languages
from tests.emails.reading import read


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every mail in every language, written once."""
    return write_gallery(tmp_path_factory.mktemp("gallery")).parent


def links(page: Path) -> list[Path]:
    return [page.parent / target for _, target in read(page.read_text(encoding="utf-8")).links]


def test_from_the_index_every_mail_is_two_links_away(gallery: Path) -> None:
    """One for the language and one for the mail; the team's mail is there in English only."""
    tabs = [page for page in links(gallery / "index.html") if page.name == "index.html"]
    reached = {mail.resolve() for tab in tabs for mail in links(tab)}
    pages = {page.resolve() for page in gallery.glob("*/*/index.html")}
    assert pages <= reached
    assert len(pages) == sum(1 for _ in samples()) * len(languages()) - (len(languages()) - 1)


def test_no_link_leads_nowhere(gallery: Path) -> None:
    """Neither to another page, nor to a picture of a mail in a frame."""
    for page in gallery.glob("*/*/index.html"):
        source = page.read_text(encoding="utf-8")
        frames = [each.partition('"')[0] for each in source.split(' src="')[1:]]
        assert all(target.is_file() for target in links(page))
        assert len(frames) == 3
        assert all((page.parent / target).is_file() for target in frames)


def test_a_page_shows_the_subject_and_the_text_and_both_colours(gallery: Path) -> None:
    """The text stands on the page, next to the frame; the copies do not follow the system."""
    folder = gallery / "fr" / "payment_failed-masked"
    page = read((folder / "index.html").read_text(encoding="utf-8"))
    assert page.headings == ["Votre paiement à Northwind n’a pas pu être effectué"]  # noqa: RUF001 - French
    assert "Veuillez utiliser un autre moyen de paiement." in page.text
    assert "@media not all" in (folder / "light.html").read_text(encoding="utf-8")
    assert "@media all" in (folder / "dark.html").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in (folder / "mail.html").read_text(encoding="utf-8")


def test_progress_is_told_from_nothing_to_all(tmp_path: Path) -> None:
    """One step per mail, and the whole is known from the start."""
    told: list[tuple[int, int]] = []
    write_gallery(tmp_path, locales=["pt-PT"], progress=lambda done, total: told.append((done, total)))
    total = sum(1 for _ in samples()) - 1
    assert told == [(done, total) for done in range(total + 1)]


def test_every_mail_of_the_catalogue_has_a_sample() -> None:
    """A new mail cannot be forgotten in the preview, nor in the tests that run over the samples."""
    assert {type(props) for _, props in samples()} == set(Mail.__args__)
