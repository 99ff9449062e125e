"""Templates in several languages share what they were compiled to."""

from gettext import NullTranslations

from jinja2 import DictLoader, Environment

from language.compiled import CompiledTemplates


class Shouting(NullTranslations):
    """A language of its own."""

    def gettext(self, message: str) -> str:
        return message.upper()


def speaking(translations: NullTranslations, source: str, compiled: CompiledTemplates) -> Environment:
    made = Environment(  # noqa: S701  # text
        loader=DictLoader({"greeting": source}), extensions=["jinja2.ext.i18n"], bytecode_cache=compiled
    )
    made.install_gettext_translations(translations, newstyle=True)
    return made


def test_two_languages_share_the_code_and_not_the_words() -> None:
    """It is compiled for the first of them, and again where a folder has another one of the same name."""
    compiled = CompiledTemplates()
    source = "{{ gettext('hello') }} {{ name }}"
    first, second, other = (
        speaking(translations, text, compiled).get_template("greeting")
        for translations, text in (
            (NullTranslations(), source),
            (Shouting(), source),
            (Shouting(), source + "!"),
        )
    )
    assert [each.render(name="you") for each in (first, second, other)] == [
        "hello you",
        "HELLO you",
        "HELLO you!",
    ]
    codes = [each.root_render_func.__code__ for each in (first, second, other)]
    assert codes[0] is codes[1]
    assert codes[0] is not codes[2]
