"""Every reader gets the right language."""

import pytest

from emails.translations import choose_locale


@pytest.mark.parametrize(
    ("preferred", "chosen"),
    [
        ([], "en"),
        (["de"], "de"),
        (["de-AT"], "de-AT"),
        (["de_CH"], "de-CH"),
        (["DE-de"], "de-DE"),
        (["de-CH-1996"], "de-CH"),
        (["xx", "de"], "de"),
        (["en-GB", "de"], "en-GB"),
        (["xx-YY"], "en"),
        (["*", ""], "en"),
        (["de-XX-nonsense!"], "de"),
    ],
)
def test_the_first_language_we_can_write_is_chosen(preferred: list[str], chosen: str) -> None:
    """BCP 47 lookup in the customer's order; the region stays, for dates and amounts."""
    assert choose_locale(preferred) == chosen
