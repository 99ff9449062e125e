"""The ways out to people: the team, and the page that mails lead to."""

from __future__ import annotations

import httpx

from console.doctor.finding import Finding, fault, good, risk
from console.doctor.values import Values
from settings.portal import Links
from settings.team import Team

TEAM, PAGE = "Team", "Customers' page"
TIMEOUT = 5.0  # seconds


async def team(values: Values) -> list[Finding]:
    settings = values.of(Team)
    if settings is None:
        return []
    if settings.ways_to_the_team:
        return [good(TEAM, f"is called by {' and '.join(settings.ways_to_the_team)}")]
    harm = "After three failed charges, before the end and when mails bounce, nobody is called."
    cure = "Set DUNNING_TEAM_EMAIL, DUNNING_TEAM_WEBHOOK_URL or DUNNING_TEAM_CHANNELS."
    return [risk(TEAM, "cannot be reached", harm, cure)]


async def page(values: Values) -> list[Finding]:
    """Asked for by its public address, as a customer would."""
    settings = values.of(Links)
    if settings is None or not settings.portal_url:
        return []
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT) as client:
            answer = await client.get(f"{settings.portal_url}/readyz")
    except httpx.HTTPError as error:
        why = f"does not answer ({type(error).__name__})"
    else:
        if answer.status_code == httpx.codes.OK:
            return [good(PAGE, f"{settings.portal_url} is ready")]
        why = f"answers {answer.status_code}"
    harm = "The links in every mail lead nowhere."
    cure = "Start `dunning portal`, and let DUNNING_PORTAL_URL lead to it; this machine may not reach it."
    return [fault(PAGE, f"{settings.portal_url} {why}", harm, cure)]
