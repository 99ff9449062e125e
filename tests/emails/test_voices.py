"""The tone of the mails, language by language, and what is never said in any of them."""

from collections.abc import Callable
from datetime import UTC
from functools import cache

import pytest

from dunning.declines import Category
from emails.catalogue import Mail
from emails.render import RenderedMail, render
from emails.samples import BRAND, NOW, final_warning, payment_failed, samples
from emails.translations import languages
from tests.emails.reading import read
from tests.emails.voices import VOICES

SAMPLES = dict(samples())
HIDDEN = (Category.MASKED, Category.FRAUD)


@cache
def rendered(props: Mail, locale: str) -> RenderedMail:
    return render(props, brand=BRAND, locale=locale, timezone=UTC, now=NOW)


def said(mail: RenderedMail) -> str:
    """Everything a reader sees, the preheader included."""
    return f"{mail.subject}\n{mail.text}\n{read(mail.html).text}"


@pytest.mark.parametrize("locale", languages())
@pytest.mark.parametrize("make", [payment_failed, final_warning])
@pytest.mark.parametrize("category", HIDDEN)
def test_a_masked_decline_stays_masked(
    category: Category, make: Callable[[Category], Mail], locale: str
) -> None:
    """Lost, stolen, fraud and blocked are never named, nor hinted at."""
    assert VOICES[locale].hints.search(said(rendered(make(category), locale))) is None


@pytest.mark.parametrize("locale", languages())
@pytest.mark.parametrize("make", [payment_failed, final_warning])
def test_nobody_can_tell_fraud_from_masked(make: Callable[[Category], Mail], locale: str) -> None:
    """A mail of its own would be a hint: the two are the same to the letter."""
    masked, fraud = (rendered(make(category), locale) for category in HIDDEN)
    assert masked == fraud


@pytest.mark.parametrize("locale", languages())
@pytest.mark.parametrize("make", [payment_failed, final_warning])
def test_no_subject_tells_the_reason(make: Callable[[Category], Mail], locale: str) -> None:
    """Subjects are the same for every category: they show on locked screens."""
    assert len({rendered(make(category), locale).subject for category in Category}) == 1


@pytest.mark.parametrize("locale", languages())
def test_every_category_has_its_own_words(locale: str) -> None:
    """No two categories say the same thing, but for fraud and masked, which must."""
    texts = {rendered(payment_failed(category), locale).text for category in Category}
    assert len(texts) == len(Category) - 1


@pytest.mark.parametrize("locale", languages())
def test_nobody_is_threatened_or_blamed(locale: str) -> None:
    """No claim to be a final notice, no false urgency, no reproach, and nobody is on first-name terms."""
    voice = VOICES[locale]
    for name, props in SAMPLES.items():
        words = said(rendered(props, locale))
        found = [each.search(words) for each in (voice.threats, voice.blame, voice.familiar)]
        assert found == [None] * 3, name


@pytest.mark.parametrize("locale", languages())
def test_the_search_for_wrong_words_would_find_them(locale: str) -> None:
    """A control: a hint, a threat and a reproach in each language are caught by the same patterns."""
    voice = VOICES[locale]
    for pattern, sentence in zip((voice.hints, voice.threats, voice.blame), voice.example, strict=True):
        assert pattern.search(sentence), sentence


@pytest.mark.parametrize("locale", languages())
def test_a_subject_fits_the_list_of_an_inbox(locale: str) -> None:
    """With a brand and a date of usual length; a Japanese character is as wide as two Latin ones."""
    for name, props in SAMPLES.items():
        wide = locale == "ja" and name != "team_escalation"
        assert len(rendered(props, locale).subject) < (40 if wide else 78), name
