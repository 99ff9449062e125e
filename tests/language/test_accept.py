"""Which languages a request asks for."""

import pytest

from language.accept import wanted


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("", []),
        ("*", []),
        ("de", ["de"]),
        ("en;q=0.1, de-AT, fr;q=0.9", ["de-AT", "fr", "en"]),
        ("de;q=0, en", ["en"]),
        ("de; q=0.5 , en;q=1", ["en", "de"]),
        ("de;q=x, en;q=0.1", ["en"]),
        ("de;level=1", ["de"]),
        (",,;q=1, ;", []),
        ("de;q=nan, en;q=9", ["en"]),
    ],
)
def test_accept_language_is_read(header: str, tags: list[str]) -> None:
    """By weight, then by place; what cannot be read or is refused is left out."""
    assert wanted(header) == tags


def test_a_long_header_is_not_read_to_its_end() -> None:
    """Ten thousand languages are nobody's wish."""
    assert len(wanted(",".join(["de"] * 10_000))) == 20
