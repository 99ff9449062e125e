"""The sentences an application shows, in every language."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.banner import BANNERS, banner
from console.extract import source_catalogue
from console.notice import CLOSE, LEAVE, PAY, RETURN
from dunning.access import Level, Reason
from tests.emails.voices import VOICES

NOW = datetime(2026, 2, 20, 9, tzinfo=UTC)
UNTIL = datetime(2026, 3, 1, 9, tzinfo=UTC)
LANGUAGES = BANNERS.languages()

# One row for each text, and whether it names a date.
TEXTS = [
    (Level.WARNED, Reason.PAYMENT_FAILED, UNTIL, True),
    (Level.WARNED, Reason.PAYMENT_FAILED, None, False),
    (Level.LIMITED, Reason.GRACE_EXPIRED, UNTIL, True),
    (Level.LIMITED, Reason.GRACE_EXPIRED, None, False),
    (Level.REVOKED, Reason.GRACE_EXPIRED, None, False),
    (Level.REVOKED, Reason.CANCELED_FOR_NONPAYMENT, None, False),
    (Level.REVOKED, Reason.FIRST_PAYMENT_INCOMPLETE, None, False),
    (Level.REVOKED, Reason.PAUSED, None, False),
    (Level.REVOKED, Reason.CANCELED, None, False),
]

DATES = {
    "en": "March 1, 2026 at 9:00 AM UTC",
    "de": "1. März 2026 um 09:00 UTC",
    "es": "1 de marzo de 2026 a las 9:00 UTC",
    "fr": "1er mars 2026 à 09:00 UTC",
    "ja": "2026年3月1日 9:00\N{FULLWIDTH LEFT PARENTHESIS}UTC\N{FULLWIDTH RIGHT PARENTHESIS}",
    "pt": "1º de março de 2026 às 09:00 UTC",
}

SENTENCES = {
    "en": (
        "Your last payment failed. Your access stays as it is until {}. Please check your payment details.",
        "Your access is limited because a payment failed, and ends on {}. "
        "Once it is paid, you have full access again.",
    ),
    "de": (
        "Ihre Zahlung ist fehlgeschlagen. Ihr Zugang bleibt bis zum {} unverändert. "
        "Bitte prüfen Sie Ihre Zahlungsdaten.",
        "Ihr Zugang ist eingeschränkt, weil eine Zahlung fehlgeschlagen ist, und endet am {}. "
        "Sobald der offene Betrag bezahlt ist, haben Sie wieder vollen Zugang.",
    ),
    "es": (
        "Su pago no se ha completado. Su acceso se mantiene sin cambios hasta el {}. "
        "Revise sus datos de pago.",
        "Su acceso está limitado porque un pago no se ha completado, y finaliza el {}. "
        "Recuperará el acceso completo en cuanto recibamos el pago.",
    ),
    "fr": (
        "Votre paiement n'a pas abouti. Votre accès reste inchangé jusqu'au {}. "
        "Veuillez vérifier vos informations de paiement.",
        "Votre accès est limité parce qu'un paiement n'a pas abouti, et il prendra fin le {}. "
        "Vous retrouverez un accès complet dès réception du paiement.",
    ),
    "ja": (
        "お支払いが完了しませんでした。{}までは、これまでどおりご利用いただけます。お支払い情報をご確認ください。",
        "お支払いが完了しなかったため、現在ご利用が制限されており、{}をもってご利用いただけなくなります。"
        "お支払いを確認でき次第、これまでどおりご利用いただけます。",
    ),
    "pt": (
        "O seu pagamento não foi concluído. O seu acesso continua igual até {}. "
        "Verifique os seus dados de pagamento.",
        "O seu acesso está limitado porque um pagamento não foi concluído, e termina em {}. "
        "O acesso completo é restabelecido assim que recebermos o pagamento.",
    ),
}

# What a bank says, beyond what is masked in mails too: it may be said there, and not here.
DECLINES = {
    "en": r"fund|money|expire|card|bank|declin",
    "de": r"deckung|geld|abgelaufen|karte|bank|abgelehnt",
    "es": r"fondos|saldo|caduc|tarjeta|banco|rechaz",
    "fr": r"solde|provision|expir|carte|banque|refus",
    "ja": r"残高|期限切れ|カード|銀行|金融機関|拒否",
    "pt": r"saldo|expir|cartão|banco|recus",
}


def plain(said: str) -> str:
    return said.replace("\N{NO-BREAK SPACE}", " ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def text(level: Level, reason: Reason, until: datetime | None = None, *tags: str) -> str | None:
    """The banner in UTC at NOW, with plain spaces and apostrophes."""
    said = banner(level, reason, until, now=NOW, tags=tags, zone=UTC)
    return said and plain(said)


def every(language: str) -> list[str]:
    """All texts in one language."""
    return [str(text(level, reason, until, language)) for level, reason, until, _ in TEXTS]


def test_full_access_has_no_banner() -> None:
    """Whatever the reason is: a trial or a cancellation is no news."""
    assert {text(Level.FULL, reason, UNTIL) for reason in Reason} == {None}


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("level", [Level.WARNED, Level.LIMITED, Level.REVOKED])
def test_everything_less_has_one_in_every_language(level: Level, reason: Reason) -> None:
    """And no two languages share it."""
    said = [text(level, reason, UNTIL, language) for language in LANGUAGES]
    assert all(said)
    assert len(set(said)) == len(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("level", "reason", "until", "dated"), TEXTS)
def test_a_date_stands_where_access_ends_by_itself(
    language: str, level: Level, reason: Reason, until: datetime | None, dated: bool
) -> None:
    """Written as the language writes it in a sentence; the other texts have no gap for one."""
    said = str(text(level, reason, until, language))
    assert (DATES[language] in said) is dated
    assert re.search(r"[{}%]", said) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_with_its_date_reads_well(language: str) -> None:
    """The words around the date fit it: `bis zum 1. März`, `jusqu'au 1er mars`, `hasta el 1 de marzo`."""
    dated = [text(level, reason, until, language) for level, reason, until, has_date in TEXTS if has_date]
    assert dated == [sentence.format(DATES[language]) for sentence in SENTENCES[language]]


def test_the_table_shows_every_text_there_is() -> None:
    """A text added to the code is looked at here too."""
    texts = {each.id for each in source_catalogue() if each.id} - {PAY, RETURN, CLOSE, LEAVE}
    assert len(set(every("en"))) == len(TEXTS) == len(texts)


@pytest.mark.parametrize("level", [Level.WARNED, Level.LIMITED])
def test_the_deadline_is_shown_while_it_lies_ahead(level: Level) -> None:
    """Access that outlives its date was kept on purpose; a date in the past would only puzzle."""
    assert "March 1, 2026" in str(text(level, Reason.PAYMENT_FAILED, NOW + timedelta(days=9)))
    for passed in (NOW, NOW - timedelta(days=1), None):
        said = str(text(level, Reason.PAYMENT_FAILED, passed))
        assert "payment failed" in said
        assert "2026" not in said


@pytest.mark.parametrize(
    ("tag", "zone", "date"),
    [
        ("de-AT", "Europe/Vienna", "14. Jänner 2027 um 00:30 MEZ"),
        ("en-GB", "Europe/London", "13 January 2027 at 23:30 GMT"),
        ("pt-PT", "Europe/Lisbon", "13 de janeiro de 2027 às 23:30 WET"),
        ("fr-CA", "America/Toronto", "13 janvier 2027 à 18 h 30 HNE"),
        ("ja-JP", "Asia/Tokyo", "2027年1月14日 8:30（JST）"),  # noqa: RUF001 - as Japanese writes it
    ],
)
def test_the_date_is_the_reader_s(tag: str, zone: str, date: str) -> None:
    """In the given zone, with the region's own words."""
    until = datetime(2027, 1, 13, 23, 30, tzinfo=UTC)
    said = banner("warned", "payment_failed", until, now=NOW, tags=[tag], zone=ZoneInfo(zone))
    assert date in plain(str(said))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_banner_gives_a_reason_of_the_bank(language: str) -> None:
    """Colleagues of the person who pays may see it."""
    decline = re.compile(f"{DECLINES[language]}|{VOICES[language].hints.pattern}", re.IGNORECASE)
    assert [said for said in every(language) if decline.search(said)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_banner_threatens_or_blames(language: str) -> None:
    """The tone is that of the mails, and the address as formal."""
    voice = VOICES[language]
    wrong = [voice.threats, voice.blame, voice.familiar]
    assert [said for said in every(language) if any(each.search(said) for each in wrong)] == []
