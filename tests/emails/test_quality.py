"""Anybody can read the mails: in light and dark, with a screen reader, without pictures, as text."""

import re
from dataclasses import replace
from datetime import UTC
from functools import cache

import pytest

from dunning.declines import Category
from emails.brand import contrast
from emails.catalogue import Mail
from emails.environment import TEMPLATES
from emails.render import RenderedMail, render
from emails.samples import BRAND, NOW, payment_failed, samples
from emails.translations import languages
from tests.emails.colours import DARK_RULES, in_the_dark, pairs
from tests.emails.reading import read

SAMPLES = dict(samples())
WITH_LOGO = replace(BRAND, logo_url="https://northwind.example/logo.png")
LINK = re.compile(r"https?://\S+")

every_mail = pytest.mark.parametrize("name", SAMPLES)
every_language = pytest.mark.parametrize("locale", languages())


@cache
def rendered(props: Mail, locale: str = "en") -> RenderedMail:
    return render(props, brand=WITH_LOGO, locale=locale, timezone=UTC, now=NOW)


@every_mail
def test_words_stand_out_from_what_is_behind_them(name: str) -> None:
    """WCAG AA, 4.5:1, for every pair of colours that words are written in: light, dark, button and logo."""
    html = rendered(SAMPLES[name]).html
    for form in (html, in_the_dark(html)):
        found = pairs(form)
        assert len(found) >= 3
        assert {pair: words for pair, words in found.items() if contrast(*pair) < 4.5} == {}


def test_the_search_for_pairs_sees_what_a_browser_shows() -> None:
    """A control: heading, label and button in light, and other colours for each of them in the dark."""
    html = rendered(payment_failed(Category.UNKNOWN)).html
    light, dark = pairs(html), pairs(in_the_dark(html))
    assert {("#1d2430", "#ffffff"), ("#566170", "#f7f8fa"), ("#ffffff", "#2456d6")} <= light.keys()
    assert not light.keys() & (dark.keys() - {("#ffffff", "#2456d6")})
    assert not any("͏" in words for words in light.values())


def test_every_colour_has_one_for_the_dark() -> None:
    """Whoever adds a colour to style.css is reminded of dark mode."""
    coloured = r"([^{}/]+)\{[^{}]*(?<![-\w])(?:color|background-color): #"
    light = set(re.findall(r"[^,\s][^,{}]*", ",".join(re.findall(coloured, sheet("style.css")))))
    dark = set(re.findall(r"[^,\s][^,{}]*", ",".join(re.findall(coloured, sheet("screen.css")))))
    assert {name.strip() for name in light} <= {name.strip() for name in dark}


def sheet(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@every_language
def test_a_screen_reader_finds_its_way(locale: str) -> None:
    """The language is declared, one h1, layout tables are marked as such, the title is the subject."""
    for name, props in SAMPLES.items():
        mail = rendered(props, locale)
        spoken = "en" if name == "team_escalation" else locale
        assert f'<html lang="{spoken}" dir="ltr"' in mail.html, name
        assert mail.html.count("<h1") == 1, name
        tables = re.findall(r"<table[^>]*>", mail.html)
        assert all('role="presentation"' in tag or 'class="facts"' in tag for tag in tables), name
        title = re.search(r"<title>(.*?)</title>", mail.html)
        assert title, name
        assert title[1] == mail.subject.replace("'", "&#39;"), name


@every_mail
def test_nothing_is_lost_with_images_off(name: str) -> None:
    """The only picture is the logo, and its alternative text is the name; no words are in backgrounds."""
    mail = rendered(SAMPLES[name])
    images = read(mail.html).images
    assert [image["alt"] for image in images] == ["Northwind"]
    assert "url(" not in mail.html
    assert " background=" not in mail.html


@every_mail
def test_both_dark_modes_are_asked_for(name: str) -> None:
    """The two meta tags and the media rules outlive the inlining."""
    html = rendered(SAMPLES[name]).html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert '<meta name="supported-color-schemes" content="light dark">' in html
    assert len(DARK_RULES.findall(html)) == 2


@every_language
def test_the_text_part_can_be_read_alone(locale: str) -> None:
    """No markup and no entities, no gaps, and each link alone on its line under what it is for."""
    for name, props in SAMPLES.items():
        mail = rendered(props, locale)
        assert re.search(r"</?[a-z]+[ >]|&[a-z]+;|&#\d+;", mail.text) is None, name
        assert "\n\n\n" not in mail.text, name
        if name == "team_escalation":  # a list of links for our own people
            continue
        lines = mail.text.splitlines()
        for at, line in enumerate(lines):
            if LINK.search(line):
                assert LINK.fullmatch(line), name
                led = re.search("\\w.*[:\N{FULLWIDTH COLON}]$", lines[at - 1])
                assert line == BRAND.website or led, name
        assert {target for _, target in read(mail.html).links} <= set(lines), name


@every_language
def test_a_label_never_outgrows_a_phone(locale: str) -> None:
    """On 390 pixels a button has room for about 36 Latin letters or 20 Japanese signs on one line."""
    widest = 20 if locale == "ja" else 36
    for props in SAMPLES.values():
        links = read(rendered(props, locale).html).links
        assert all(len(label) <= widest for label, target in links if target.startswith("https://pay."))
