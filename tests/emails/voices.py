"""What must not be read in a mail, language by language."""

import re
from dataclasses import dataclass


def _any(words: str) -> re.Pattern[str]:
    return re.compile("|".join(words.split()), re.IGNORECASE)


@dataclass(frozen=True)
class Voice:
    """Patterns of words and signs; `example` holds one hint, one threat and one reproach each.

    `hints`: why a masked decline was declined. `threats`: false urgency and final notices. `blame`: words for
    debtors. `familiar`: an address too close for a bill. `wrong_signs`: punctuation of another language,
    looked for in the catalogue with its placeholders taken out.
    """

    hints: re.Pattern[str]
    threats: re.Pattern[str]
    blame: re.Pattern[str]
    example: tuple[str, str, str]
    familiar: re.Pattern[str] = re.compile(r"(?!)")
    wrong_signs: re.Pattern[str] = re.compile(r"(?!)")


# Straight quotation marks and apostrophes, three dots for an ellipsis, spaces that are not there on purpose.
_SLOPPY = r"""["']|\.\.\.|  |^\s|\s$"""

VOICES = {
    "en": Voice(
        hints=_any("stolen lost fraud blocked risk suspicio police security"),
        threats=_any(r"final last\schance immediately urgent"),
        blame=_any(r"overdue delinquent debt you\sfailed you\shave\snot\spaid"),
        example=("Your card was stolen.", "Final notice", "Your overdue invoice"),
    ),
    "de": Voice(
        hints=_any("gestohlen verloren betrug betrüg gesperrt risiko verdacht sicherheit polizei"),
        threats=_any("letzte sofort dringend mahnung umgehend"),
        blame=_any("säumig schulden verzug rückstand überfällig versäumt"),
        example=("Ihre Karte wurde gestohlen.", "Letzte Mahnung", "Sie sind im Rückstand."),
        familiar=re.compile(r"\b(du|dir|dich|dein\w*)\b", re.IGNORECASE),
        wrong_signs=re.compile(_SLOPPY),
    ),
    "es": Voice(
        hints=_any("robad robo perdid extravi fraud bloque riesgo sospech policía seguridad"),
        threats=_any("últim inmediat urgen requerimiento"),
        blame=_any(r"moros \bdeud impag atras vencid incumpl"),
        example=("Su tarjeta ha sido robada.", "Último aviso", "Su factura impagada"),
        familiar=re.compile(r"\b(tú|tu|tus|ti|te|tuy[oa]s?|vosotros|vuestr[oa]s?)\b", re.IGNORECASE),
        wrong_signs=re.compile(_SLOPPY + r"|^[^¿]*\?|^[^¡]*!"),
    ),
    "fr": Voice(
        hints=_any("volée perdue fraud bloqué risque soupçon suspect police sécurité opposition"),
        threats=_any(r"derni(er|ère) immédiat urgen mise\sen\sdemeure sans\sdélai"),
        blame=_any("impayé dette débiteur retard défaut manquement"),
        example=("Votre carte a été déclarée volée.", "Dernier avis", "Votre facture impayée"),
        familiar=re.compile(r"\b(tu|toi|te|ton|ta|tes)\b", re.IGNORECASE),
        # A narrow no-break space goes before these four; nothing else does.
        wrong_signs=re.compile(_SLOPPY + "|(?<!\u202f)[;:!?]|\u202f(?![;:!?])"),
    ),
    "ja": Voice(
        hints=_any("盗 紛失 不正 詐欺 ブロック カードの停止 リスク 疑 警察 セキュリティ"),
        threats=_any("最終 至急 直ちに ただちに 緊急 督促 催告 警告"),
        blame=_any("滞納 延滞 未納 債務 怠"),
        example=("カードの紛失が届けられています。", "最終通知", "料金を滞納されています。"),
        # Plain forms instead of desu and masu at the end of a sentence, and "you" as a pronoun.
        familiar=re.compile(r"あなた|君|(?<!で)(?<!ま)(?<!せん)(だ|である|ない)。"),
        # Half-width signs and any space: Japanese has signs of its own and nothing between words.
        wrong_signs=re.compile(r"""[.,:;!?"'()\s]"""),
    ),
    "pt": Voice(
        hints=_any("roubad perdid furt extravi fraud bloque risco suspeit polícia segurança"),
        threats=_any("últim imediat urgen notificação\\sfinal"),
        blame=_any("inadimpl dívida devedor atras vencid incumpr"),
        example=("O seu cartão foi roubado.", "Último aviso", "A sua fatura em atraso"),
        # Portugal and Brazil differ in every pronoun for "you": none stands in a mail.
        familiar=re.compile(r"\b(você|vocês|tu|teu|teus|tua|tuas|ti|te|senhora?)\b", re.IGNORECASE),
        wrong_signs=re.compile(_SLOPPY),
    ),
}
