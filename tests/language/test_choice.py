"""Every reader gets the right language."""

import pytest

from console.banner import BANNERS
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


@pytest.mark.parametrize(
    ("preferred", "chosen"),
    [
        (["fr-CA", "de"], ("fr", "fr-CA")),
        (["pt-PT"], ("pt", "pt-PT")),
        (["de-ZZ"], ("de", "de-DE")),
        (["de-@@"], ("de", "de")),
        (["it", "JA_jp"], ("ja", "ja-JP")),
        (["de-x" + "-y" * 10_000], ("de", "de")),
        (["it"], ("en", "en")),
        ([], ("en", "en")),
    ],
)
def test_the_language_comes_with_its_locale(preferred: list[str], chosen: tuple[str, str]) -> None:
    """The words are Portuguese, the date is Portugal's; a tag without end is read as far as tags go."""
    assert BANNERS.choose(preferred) == chosen
