"""Somebody with a browser: what they see and press, and whatever is wrong with what they see."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Request

AXE: Final = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
PHONE: Final = (390, 844)
DESKTOP: Final = (1280, 800)
SIZES: Final = {"phone": PHONE, "desktop": DESKTOP}
NARROWEST: Final = (320, 640)

_RUN_AXE: Final = """async (rules) => {
  const found = await axe.run(document, rules ? {runOnly: {type: "rule", values: rules}} : {});
  return found.violations.map((each) => [each.id, ...each.nodes.map((node) => node.html.slice(0, 200)
    + " " + node.any.map((check) => check.message).join(" "))]);
}"""
_FOCUSABLE: Final = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
_WHERE: Final = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  if (!at || at === document.body || at === document.documentElement) return null;
  const style = getComputedStyle(at), box = at.getBoundingClientRect();
  return {
    name: (at.getAttribute("aria-label") || at.innerText || at.name || "").trim(),
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""

# Each visitor comes from an address of their own, so that no limit counts them together.
_ADDRESSES = (f"198.18.{high}.{low}" for high, low in itertools.product(range(256), range(1, 255)))


class Browsers:
    """One browser for each language, with JavaScript and without: starting one takes as long as a visit."""

    def __init__(self, chromium: Browser) -> None:
        self._chromium = chromium
        self._known: dict[tuple[str, bool], BrowserContext] = {}

    def speaking(self, locale: str, javascript: bool) -> BrowserContext:
        """The browser, as it is known so far; whoever leaves it takes their cookies along."""
        known = self._known.get((locale, javascript))
        if known is None:
            known = self._chromium.new_context(locale=locale, java_script_enabled=javascript)
            self._known[locale, javascript] = known
        return known


class Visitor:
    """One person with one browser window, and the `faults` it has told of. `runs_scripts`: with JavaScript.

    A page of ours asks nobody else for anything: what goes to an origin that is not in `origins` is a fault.
    """

    def __init__(
        self,
        browsers: Browsers,
        origins: Sequence[str],
        size: tuple[int, int] = DESKTOP,
        *,
        locale: str = "en-US",
        javascript: bool = True,
        dark: bool = False,
        calm: bool = True,
    ) -> None:
        """`calm` asks for no motion."""
        self._origins = tuple(origins)
        self._expected: set[str] = set()
        self.runs_scripts = javascript
        self.faults: list[str] = []
        self._context = browsers.speaking(locale, javascript)
        self.page = self._context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.set_extra_http_headers({"x-forwarded-for": next(_ADDRESSES)})
        self.page.emulate_media(
            color_scheme="dark" if dark else "light", reduced_motion="reduce" if calm else "no-preference"
        )
        self.resize(size)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", self._asked)

    def open(self, url: str, status: int = 200) -> Visitor:
        """Go to a page, which is answered with this status."""
        if status >= 400:
            self._expected.add(url)
        answer = self.page.goto(url)
        assert answer, url
        assert answer.status == status, answer.status
        return self

    def close(self) -> None:
        """Close the window; fail for what was wrong with it."""
        self.page.close()
        self._context.clear_cookies()
        assert not self.faults, self.faults

    # what is seen

    @property
    def heading(self) -> str:
        """What the page says it is."""
        return self.page.locator("h1").inner_text()

    def button(self, name: str) -> Locator:
        """What can be pressed by this name, a button or a link."""
        button, link = [self.page.get_by_role(role, name=name, exact=True) for role in ("button", "link")]
        return button.or_(link)

    def resize(self, size: tuple[int, int]) -> None:
        """Make the window another one's size."""
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    def picture(self, file: Path) -> None:
        """Keep what is seen, the whole page long."""
        self.page.screenshot(path=file, full_page=True, type="jpeg", quality=70)

    def is_wider_than_the_screen(self) -> bool:
        """Whether one has to scroll sideways to read."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))

    def barriers(self, *rules: str) -> list[Any]:
        """What axe finds, by all of its rules or by these."""
        if not self.page.evaluate("typeof axe === 'object'"):
            self.page.evaluate(AXE)
        return list(self.page.evaluate(_RUN_AXE, list(rules) or None))

    # by keyboard

    def walk(self) -> list[str]:
        """The names of all that Tab comes to, each seen and outlined, until it leaves the page."""
        passed = []
        for _ in range(60):
            self.page.keyboard.press("Tab")
            here = self.page.evaluate(_WHERE)
            if here is None:
                return passed
            assert here["seen"], here
            assert here["outlined"], here
            passed.append(here["name"])
        raise AssertionError(f"no way out: {passed}")

    def tab_to(self, name: str) -> None:
        """Press Tab until what has this name has the focus."""
        for _ in range(60):
            self.page.keyboard.press("Tab")
            here = self.page.evaluate(_WHERE)
            if here and here["name"] == name:
                return
        raise AssertionError(f"Tab never comes to {name!r}")

    def can_be_pressed(self) -> list[str]:
        """The names of all links, buttons and fields that are shown, in the page's order."""
        shown = self.page.locator(_FOCUSABLE).filter(visible=True)
        return [
            (
                each.get_attribute("aria-label") or each.inner_text() or each.get_attribute("name") or ""
            ).strip()
            for each in shown.all()
        ]

    # what is wrong

    def _heard(self, message: ConsoleMessage) -> None:
        # Browsers ask for an icon of their own accord, and report the status of a page that tells of an
        # error, as the provider's does of a card that is declined (402).
        url = str(message.location.get("url"))
        if (
            message.type in ("error", "warning")
            and "status of 402" not in message.text
            and not (url.endswith("/favicon.ico") or url in self._expected)
        ):
            self.faults.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((*self._origins, "data:", "about:")):
            self.faults.append(f"asked somebody else: {request.url}")
