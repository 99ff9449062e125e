"""What Paperbill has to be known by."""

from typing import Annotated

from settings.checks import BearerKey
from settings.field import Commas, Settings, setting


class PaperbillWebhooks(Settings, title="Paperbill's webhooks"):
    """How the receiver knows Paperbill."""

    paperbill_secrets: Annotated[tuple[BearerKey, ...], Commas] = setting(
        "PAPERBILL_SECRETS",
        "What Paperbill signs with.",
        default=(),
        example="paper-secret-0123456789",
        cure="Ask Paperbill.",
    )
