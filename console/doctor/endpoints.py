"""What is wrong with the webhook endpoints of a billing system, whichever it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from console.doctor.finding import Finding, fault, good, note, risk
from providers.endpoint import Endpoint

# What comes of an endpoint that nobody could look at.
UNHEARD = "An event type nobody subscribed to is a customer nobody tells, or a lock-out of one who paid."


@dataclass(frozen=True, slots=True)
class Door:
    """Where events of one account should come in.

    `area` names it among the findings, `path` is where its events go. It should hear all of `wanted`; of
    `vital` nothing may be missing, and `delaying` it should not hear. The rest are sentences: what the system
    does to endpoints that fail, what becomes of one without a version, and how events get to a machine
    without an endpoint that is listed.
    """

    area: str
    path: str
    wanted: Collection[str]
    vital: Collection[str]
    disables: str
    unpinned: str
    unlisted: str
    delaying: str | None = None


def judge(known: Sequence[Endpoint], door: Door, *, live: bool) -> list[Finding]:
    """All endpoints of an account; ours are those whose address ends in the door's path."""
    ours = [each for each in known if urlsplit(each.url).path.rstrip("/").endswith(door.path)]
    if not ours:
        harm = "Nothing is heard of: nobody is told, and access is never given back."
        cure = f"Add an endpoint at https://your-host{door.path}. {door.unlisted}"
        return [(fault if live else note)(door.area, f"no endpoint leads to {door.path}", harm, cure)]
    found = [finding for each in ours for finding in _endpoint(each, door, live=live)]
    if len([each for each in ours if each.enabled]) > 1:
        harm = "Each event comes twice, which changes nothing but costs twice."
        found.append(note(door.area, f"{len(ours)} endpoints lead to {door.path}", harm, "Keep one."))
    return found


def _endpoint(each: Endpoint, door: Door, *, live: bool) -> Iterator[Finding]:
    where = urlsplit(each.url).netloc
    if not each.enabled:
        yield fault(
            door.area,
            f"the endpoint at {where} is disabled",
            f"Nothing is heard of. {door.disables}",
            "Enable it in the dashboard; then `dunning reconcile --since 30d` takes in what was missed.",
        )
        return
    if live and not each.url.startswith("https://"):
        yield fault(door.area, f"{where} is not https", "Events can be read on the way.", "Use https://.")
    lacking = {event for event in door.wanted if not each.hears(event)}
    if vital := lacking & set(door.vital):
        harm = "Somebody is not told, keeps what they have not paid, or is locked out though they have paid."
        yield fault(door.area, f"{where} does not hear {_list(vital)}", harm, "Add them to the endpoint.")
    if rest := lacking - vital:
        harm = (
            "What they tell is noticed late: a new card, a failed try by hand, a changed address, a refund."
        )
        yield risk(door.area, f"{where} does not hear {_list(rest)}", harm, "Add them to the endpoint.")
    if door.delaying and each.hears(door.delaying):
        harm = "Stripe delays charges by up to three days while any endpoint fails to answer it."
        cure = "Name the events one by one, without it."
        yield risk(door.area, f"{where} hears {door.delaying}", harm, cure)
    if each.version is None:
        cure = "Pin the endpoint's version."
        yield note(door.area, f"{where} follows the account's API version", door.unpinned, cure)
    if not lacking and each.version:
        yield good(door.area, f"{where} hears all it has to, in version {each.version}")


def _list(events: set[str]) -> str:
    return ", ".join(sorted(events))
