"""The button can be read in any brand's colour, in light and in dark."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emails.brand import DARK_CARD, Brand, contrast

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def brand(colour: str) -> Brand:
    return Brand("Northwind", "help@northwind.example", "https://northwind.example", color=colour)


@given(COLOURS)
def test_the_button_can_be_read_in_any_brand_colour(colour: str) -> None:
    """4.5:1 for its label, and in the dark 3:1 against the card behind it."""
    made = brand(colour)
    assert contrast(made.ink, made.color) >= 4.5
    assert contrast(made.ink_in_the_dark, made.color_in_the_dark) >= 4.5
    assert contrast(made.color_in_the_dark, DARK_CARD) >= 3


def test_a_black_button_does_not_turn_grey_in_the_dark() -> None:
    """Grey means "not available"; black becomes nearly white, blue stays blue."""
    assert brand("#111111").color_in_the_dark == "#e6e8eb"
    red, green, blue = (int(brand("#2456d6").color_in_the_dark[at : at + 2], 16) for at in (1, 3, 5))
    assert blue > green > red


@pytest.mark.parametrize("colour", ["blue", "#fff", "#12345g", "red; } body { display: none", ""])
def test_a_colour_is_a_colour(colour: str) -> None:
    """It is written into a style sheet, so only #rrggbb passes."""
    with pytest.raises(ValueError, match="colour"):
        brand(colour)


def test_black_on_white_is_the_greatest_contrast() -> None:
    """The formula's two known ends."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == pytest.approx(1)
