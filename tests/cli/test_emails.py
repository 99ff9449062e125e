"""`dunning emails` as its users meet it: a gallery on disk, and templates checked before they are used."""

import json
from pathlib import Path

from emails.samples import samples
from emails.translations import languages
from tests.cli.forking import dunning

TYPO = "payment_failed/subject.txt"


def own(folder: Path, text: str) -> Path:
    path = folder / "mine" / TYPO
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_preview_needs_no_settings(tmp_path: Path) -> None:
    """Every language in one go, in the sample brand; the last line is a link to open."""
    done = dunning("emails", "preview", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    index = tmp_path / ".dunning" / "preview" / "index.html"
    assert done.stdout.splitlines()[-1] == index.as_uri()
    assert "as Northwind would send them" in done.stdout
    assert {path.name for path in index.parent.iterdir() if path.is_dir()} == set(languages())


def test_a_preview_in_ones_own_brand_language_and_words(tmp_path: Path) -> None:
    """The brand and the templates come from the settings, region and folder from the options."""
    own(tmp_path, "{{ brand.name }}: {{ amount }}")
    done = dunning(
        *("emails", "preview", "--language", "de-AT", "--out", "out", "--json"),
        cwd=tmp_path,
        DUNNING_BRAND_NAME="Acme",
        DUNNING_BRAND_SUPPORT_EMAIL="help@acme.example",
        DUNNING_EMAIL_TEMPLATES="mine",
    )
    assert done.returncode == 0
    mails = sum(1 for _ in samples()) - 1
    expected = {"index": "out/index.html", "languages": ["de-AT"], "mails": mails, "brand": "Acme"}
    assert json.loads(done.stdout) == expected
    text = (tmp_path / "out/de-AT/payment_failed-masked/mail.txt").read_text(encoding="utf-8")
    assert text.startswith("Subject: Acme: € 19,99\n")
    assert "help@acme.example" in text


def test_a_language_nobody_has_written_is_wrong_usage(tmp_path: Path) -> None:
    """Exit code 2, with the languages there are."""
    done = dunning("emails", "preview", "--language", "tlh", cwd=tmp_path)
    assert done.returncode == 2
    assert "en, de, es, fr, ja, pt" in done.stderr


def test_wrong_settings_are_told_as_anywhere(tmp_path: Path) -> None:
    """Nothing is required, but what is given must be right."""
    done = dunning("emails", "preview", cwd=tmp_path, DUNNING_BRAND_COLOR="red")
    assert done.returncode == 2
    assert "DUNNING_BRAND_COLOR" in done.stderr


def test_check_names_file_and_line_and_exits_with_1(tmp_path: Path) -> None:
    """For a person and for a script; a preview refuses the same templates."""
    own(tmp_path, "Hello\n{{ amout }}\n")
    done = dunning("emails", "check", "--templates", "mine", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"mine/{TYPO}:2: no mail has anything called 'amout'" in done.stderr
    done = dunning("emails", "check", "--json", cwd=tmp_path, DUNNING_EMAIL_TEMPLATES="mine")
    assert done.returncode == 1
    fault = {"file": f"mine/{TYPO}", "line": 2, "message": "no mail has anything called 'amout'"}
    assert json.loads(done.stdout) == {"templates": "mine", "faults": [fault]}
    assert dunning("emails", "preview", "--templates", "mine", cwd=tmp_path).returncode == 1


def test_check_says_that_all_is_well(tmp_path: Path) -> None:
    """Exit code 0 and how much was read; without a folder there is nothing to check."""
    own(tmp_path, "{{ brand.name }}: {{ amount }}")
    done = dunning("emails", "check", "--templates", "mine", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "are right" in done.stdout
    done = dunning("emails", "check", cwd=tmp_path)
    assert done.returncode == 1
    assert "--templates" in done.stderr


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "taken").write_text("", encoding="utf-8")
    done = dunning("emails", "preview", "--language", "en", "--out", "taken", cwd=tmp_path)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
