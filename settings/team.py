"""Where the merchant's own people hear of what wants a person."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr

from settings.checks import Address, SecretLink, split_secret
from settings.field import Settings, setting

_NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
# Channels that there are in any case, by the other two settings or for other purposes.
_TAKEN = frozenset({"mail", "chat", "none", "provider", "channel"})


def _split(value: object) -> object:
    """At spaces and line breaks: the URLs may hold anything else."""
    return tuple(value.split()) if isinstance(value, str) else value


def _check_channels(given: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    names = [_check_channel(each) for each in given]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"has two channels with the name {name}")
    return given


def _check_channel(given: SecretStr) -> str:
    name, url = split_secret(given)
    if not _NAME.fullmatch(name) or "://" not in url:
        raise ValueError("must be written as name=url, with small letters, digits and hyphens in the name")
    if name in _TAKEN:
        raise ValueError(f"has a channel with the name {name}, which means something else")
    return name


Channels = Annotated[tuple[SecretStr, ...], AfterValidator(_check_channels), BeforeValidator(_split)]


class Team(Settings):
    """Where your own people hear of an escalation."""

    team_email: Address | None = setting(
        "DUNNING_TEAM_EMAIL",
        "Gets a mail when a case is escalated.",
        default=None,
        example="customer-success@acme.example",
        cure="Give one bare mail address, or leave it empty.",
    )
    team_webhook_url: SecretLink | None = setting(
        "DUNNING_TEAM_WEBHOOK_URL",
        "A Slack-compatible incoming webhook that hears of escalations. The link is a secret.",
        default=None,
        example="https://hooks.acme.example/services/T000/B000/XXXX",
        cure="Give the webhook's https:// link, or leave it empty.",
    )
    team_channels: Channels = setting(
        "DUNNING_TEAM_CHANNELS",
        "More channels, as `name=url` with spaces between them: every URL of Apprise, such as Slack, Teams, "
        "PagerDuty, Opsgenie, Telegram, SMS. The URLs are secrets. See docs/team.md.",
        default=(),
        example="ops=slack://TokenA/TokenB/TokenC/#billing oncall=pagerduty://IntegrationKey@ApiKey",
        cure="Write name=url, each with a name of its own; docs/team.md shows URLs, and `dunning team test` "
        "tries them.",
    )

    @property
    def ways_to_the_team(self) -> tuple[str, ...]:
        """The names of all channels there are; the outbox knows them by these."""
        ours = [("mail", self.team_email), ("chat", self.team_webhook_url)]
        return (*(name for name, configured in ours if configured), *self.channels_by_name)

    @property
    def channels_by_name(self) -> dict[str, str]:
        """Name -> URL. The URLs hold secrets: never log them."""
        return dict(split_secret(each) for each in self.team_channels)
