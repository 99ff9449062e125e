"""The gallery shows what customers will get."""

from pathlib import Path

from emails.catalogue import Mail
from emails.preview import write_gallery
from emails.samples import samples
from emails.translations import languages
from tests.emails.reading import read


def test_the_gallery_holds_every_mail_in_every_language(tmp_path: Path) -> None:
    """Each link of the index leads to a page, and no kind of mail is missing."""
    index = write_gallery(tmp_path / "gallery")
    links = [target for _, target in read(index.read_text(encoding="utf-8")).links]
    assert all((index.parent / target).is_file() for target in links)
    mails = [name for name, _ in samples()]
    assert len(links) == 2 * (len(mails) * len(languages()) - (len(languages()) - 1))


def test_every_mail_of_the_catalogue_has_a_sample() -> None:
    """A new mail cannot be forgotten in the preview, nor in the tests that run over the samples."""
    assert {type(props) for _, props in samples()} == set(Mail.__args__)
