"""Links: what they hold, who can make one, and how long they open anything."""

import string
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from itsdangerous import Signer

from portal.links import BANNER, CASE, LIFE_AFTER, Links, Pages, Verdict, digest, short, verdict

OLD, NEW = "an old secret of more than 32 characters", "a new secret of more than 32 characters"
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_link_of_ours_is_read_back_to_its_digest() -> None:
    """The token holds 128 random bits, of which the digest alone is known here."""
    minted = Links([NEW]).mint()
    assert Links([NEW]).read(minted.token) == minted.digest
    assert len(minted.digest) == 32
    assert minted.digest.hex() not in minted.token
    assert len({Links([NEW]).mint().token for _ in range(100)}) == 100


def test_the_address_of_a_page_is_plain() -> None:
    """Nothing in it needs to be escaped, in a mail, a header or a shell."""
    minted = Links([NEW]).mint()
    url = Pages("https://pay.acme.example", Links([NEW])).url(minted)
    assert url == f"https://pay.acme.example/p/{minted.token}"
    assert set(minted.token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert len(minted.token) == 66


def test_a_banner_has_a_second_name_for_a_link() -> None:
    """The same each time, so that asking for it writes nothing; it is read back to the link's own digest."""
    links = Links([NEW])
    minted = links.mint()
    assert links.banner(minted.digest) == links.banner(minted.digest) != minted.token
    assert links.read(links.banner(minted.digest)) == minted.digest
    assert links.is_banner(links.banner(minted.digest))
    assert not links.is_banner(minted.token)
    assert Links([OLD, NEW]).read(links.banner(minted.digest)) == minted.digest
    assert Links([OLD]).read(links.banner(minted.digest)) is None


def test_whoever_reads_a_link_cannot_make_a_banner_of_it_nor_the_other_way_round() -> None:
    """A token of one purpose with the signature of the other is none."""
    links = Links([NEW])
    minted = links.mint()
    banner = links.banner(minted.digest)
    value, other = minted.token.partition(".")[0], banner.partition(".")[0]
    for salt, signed in ((BANNER, value), (CASE, other)):
        signer = Signer(NEW, salt=salt, key_derivation="hmac", digest_method=sha256)
        assert links.read(signer.sign(signed).decode()) is None
    assert links.read(f"{value}.{banner.partition('.')[2]}") is None
    assert links.read(f"{other}.{minted.token.partition('.')[2]}") is None


def test_a_secret_can_be_replaced() -> None:
    """The first signs, all verify; when the old one is gone, so are its links."""
    before, both, after = Links([OLD]), Links([NEW, OLD]), Links([NEW])
    old, new = before.mint(), both.mint()
    assert both.read(old.token) == old.digest
    assert after.read(new.token) == new.digest
    assert after.read(old.token) is None
    assert before.read(new.token) is None


def test_what_is_signed_for_another_purpose_opens_no_page() -> None:
    """One salt a purpose, and never the library's SHA-1."""
    token = Links([NEW]).mint().token
    value = token.partition(".")[0]
    for salt, algorithm in ((b"dunning.portal.case.v2", "sha256"), (CASE, "sha1")):
        other = Signer(
            NEW, salt=salt, key_derivation="hmac", digest_method=getattr(__import__("hashlib"), algorithm)
        )
        assert Links([NEW]).read(other.sign(value).decode()) is None
    same = Signer(NEW, salt=CASE, key_derivation="hmac", digest_method=sha256)
    assert same.sign(value).decode() == token


@pytest.mark.parametrize(
    "change",
    [
        lambda token: "",
        lambda token: ".",
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: token.partition(".")[0],
        lambda token: ("B" if token[0] == "A" else "A") + token[1:],
        lambda token: token.upper(),
        lambda token: token.replace(".", "ä"),
        lambda token: "\x00" + token,
        lambda token: token * 100,
        lambda token: (
            Signer(NEW, salt=CASE, key_derivation="hmac", digest_method=sha256).sign("AAAA").decode()
        ),
    ],
)
def test_nothing_else_is_a_link(change: object) -> None:
    """Cut, changed, in another script, too long, or signed but of another length."""
    assert callable(change)
    assert Links([NEW]).read(change(Links([NEW]).mint().token)) is None


def test_a_link_has_one_spelling() -> None:
    """What base64 reads over is not read over: no mark in between, no other last character."""
    links = Links([NEW])
    token = links.mint().token
    ends = [token[:-1] + end for end in "-_" + string.ascii_letters + string.digits]
    spelt = [each for each in [*ends, f"{token[:-9]}*{token[-9:]}", f"{token}="] if links.read(each)]
    assert spelt == [token]


@pytest.mark.parametrize("secrets", [[], [""], [NEW, ""]])
def test_without_a_secret_there_are_no_links(secrets: list[str]) -> None:
    """Anybody could sign with nothing."""
    with pytest.raises(ValueError, match="secret"):
        Links(secrets)


def test_logs_hold_three_bytes_of_a_digest() -> None:
    """Enough to find the lines of one link, and nothing to open it with."""
    assert short(digest(b"0" * 16)) == digest(b"0" * 16).hex()[:6]


@pytest.mark.parametrize(
    ("made", "revoked", "closed", "wanted"),
    [
        (0, None, None, Verdict.OK),
        (-300, None, None, Verdict.OK),
        (-20, None, -6.9, Verdict.OK),
        (-20, None, -7, Verdict.STALE),
        (-6, None, -30, Verdict.OK),
        (-7, None, -30, Verdict.STALE),
        (-20, -1, None, Verdict.REVOKED),
        (-20, -1, -10, Verdict.REVOKED),
    ],
)
def test_a_link_lives_as_long_as_its_case_and_a_week(
    made: float, revoked: float | None, closed: float | None, wanted: Verdict
) -> None:
    """In days from now. One made after the end lives a week too, or a late mail would hold a dead link."""

    def day(days: float | None) -> datetime | None:
        return None if days is None else NOW + days * DAY

    made_at = day(made)
    assert made_at
    assert verdict(made_at=made_at, revoked_at=day(revoked), closed_at=day(closed), now=NOW) is wanted
    assert LIFE_AFTER == 7 * DAY
