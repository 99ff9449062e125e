"""Names from outside are fit to be read, and nothing else."""

import re
import unicodedata
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emails.names import MAX_LENGTH, clean_name

# "I want": the joiner in the middle belongs to the spelling.
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Maria Müller", "Maria Müller"),
        ("Dr. J.R.R. Example", "Dr. J.R.R. Example"),
        ("Plan v2.0", "Plan v2.0"),
        (PERSIAN, PERSIAN),
        ("Acme.io", "Acme. io"),
        ("https://evil.example/x", "evil. example/x"),
        ("hxhttp://ttp://evil.example", "evil. example"),
        ("www。evil。example", "www. evil. example"),
        ("ev\u200dil.example", "evil. example"),
        ("Anna\r\nBcc: a@b.example", "Anna Bcc: a@b. example"),
        ("a\u202eb\u2066c", "abc"),
        ("\x00\x1b[31mred", "[31mred"),
        ("two   spaces\tand tab", "two spaces and tab"),
        ("x" * 61, "x" * 59 + "…"),
        ("\u200b \u200e", None),
        ("", None),
        (None, None),
    ],
)
def test_clean_names(raw: str | None, clean: str | None) -> None:
    """Ordinary names pass unchanged; links, control and bidi characters do not."""
    assert clean_name(raw) == clean


@given(st.text(max_size=200))
def test_whatever_comes_in_is_short_one_line_and_no_link(raw: str) -> None:
    """Holds for any text at all."""
    clean = clean_name(raw) or ""
    assert len(clean) <= MAX_LENGTH
    assert re.search(r"\w\.[a-zA-Z]{2}|://", clean) is None
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in clean)
    assert clean_name(clean) == (clean or None)


def test_a_name_without_end_costs_nothing() -> None:
    """What looks for a scheme takes the square of its length: minutes for what fits into an event."""
    began = process_time()
    assert clean_name("x" * 250_000) == "x" * (MAX_LENGTH - 1) + "…"
    assert process_time() - began < 1
