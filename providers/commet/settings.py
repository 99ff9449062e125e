"""What we are told of Commet."""

from typing import Annotated

from pydantic import Field

from settings.checks import SigningSecret
from settings.field import Commas, Settings, setting


class CommetWebhooks(Settings, title="Commet's webhooks"):
    """How the receiver knows Commet. Without a secret it has no path here."""

    commet_webhook_secrets: Annotated[tuple[SigningSecret, ...], Field(min_length=1), Commas] | None = (
        setting(
            "COMMET_WEBHOOK_SECRETS",
            "The signing secrets of Commet's webhook, with commas between them while one is replaced; it "
            "sends to `/webhooks/commet`.",
            default=None,
            example="whsec_test_0123456789abcdef",
            cure="Copy the signing secret from the webhook's page in Commet.",
        )
    )
