"""Whose mail it is: the merchant's name, colour and addresses."""

import re
from dataclasses import dataclass
from functools import cache

_HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")

# The background of the message in dark mode; `templates/style.css` uses the same value.
DARK_CARD = "#1f2329"


@dataclass(frozen=True, slots=True)
class Brand:
    """The merchant as the customer knows them.

    `color` is `#rrggbb` and fills the button; the ink on it is chosen for contrast. Raises ValueError for
    any other form of colour.
    """

    name: str
    support_email: str
    website: str | None
    logo_url: str | None = None
    color: str = "#2456d6"
    postal_address: str | None = None

    def __post_init__(self) -> None:
        if not _HEX_COLOUR.fullmatch(self.color):
            raise ValueError(f"brand colour must look like #2456d6, not {self.color!r}")

    @property
    def ink(self) -> str:
        """Black or white, whichever is easier to read on the brand's colour (always at least 4.5:1)."""
        return ink_on(self.color)

    @property
    def color_in_the_dark(self) -> str:
        """The button's colour in dark mode: the brand's own, lightened until it stands out (3:1).

        A black or dark grey one becomes nearly white: anything between looks like a button one cannot press.
        """
        return _in_the_dark(self.color)

    @property
    def ink_in_the_dark(self) -> str:
        """Black or white on `color_in_the_dark`."""
        return ink_on(self.color_in_the_dark)


@cache
def _in_the_dark(colour: str) -> str:
    channels = _channels(colour)
    if max(channels) - min(channels) < 32 and contrast(colour, DARK_CARD) < 3:
        return "#e6e8eb"
    return next(
        shade for share in range(0, 101, 10) if contrast(shade := _lightened(colour, share), DARK_CARD) >= 3
    )


def ink_on(background: str) -> str:
    """Black or white, whichever has the better contrast on `background`."""
    return max(("#ffffff", "#000000"), key=lambda ink: contrast(ink, background))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two `#rrggbb` colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _channels(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _lightened(colour: str, percent: int) -> str:
    return "#" + "".join(f"{channel + (255 - channel) * percent // 100:02x}" for channel in _channels(colour))


def _luminance(colour: str) -> float:
    shares = (channel / 255 for channel in _channels(colour))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
