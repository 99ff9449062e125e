"""What speaks for a source is made once, as long as there are not too many."""

from providers import by_source
from providers.by_source import BySource


def test_each_is_made_once_and_the_one_asked_for_longest_ago_goes_first() -> None:
    """There may be thousands of connected accounts, and a process runs for months."""
    made: list[str] = []

    def make(source: str) -> str:
        made.append(source)
        return source

    speakers = BySource(make)
    first = [f"stripe:acct_{number}" for number in range(by_source.MOST)]
    assert [speakers[each] for each in first] == first
    assert speakers[first[0]] == first[0]
    assert speakers["stripe:acct_new"] == "stripe:acct_new"
    assert made == [*first, "stripe:acct_new"]
    assert len(speakers) == by_source.MOST
    assert speakers[first[1]] == first[1]
    assert made[-1] == first[1], "it was the one asked for longest ago"


def test_a_source_of_which_there_is_nobody() -> None:
    """That is asked for once as well."""
    made: list[str] = []

    def nobody(source: str) -> str | None:
        made.append(source)
        return None

    speakers = BySource(nobody)
    assert "elsewhere" not in speakers
    assert speakers.get("elsewhere") is None
    assert (made, len(speakers)) == (["elsewhere"], 0)
