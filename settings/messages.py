"""What customers are shown: sender, brand, links, time zone."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from settings.checks import Address, Color, Link, Mailbox
from settings.field import Settings, setting


def _domain_of_sender(earlier: dict[str, str]) -> str:
    return earlier["mail_from"].rstrip(">").rpartition("@")[2]


class Mail(Settings):
    """What stands at the head of every mail."""

    mail_from: Mailbox = setting(
        "DUNNING_MAIL_FROM",
        "The sender of the mails to customers, with or without a display name.",
        example="Acme Billing <billing@acme.example>",
        cure="Give an address whose domain you send mail for.",
    )
    mail_reply_to: Address | None = setting(
        "DUNNING_MAIL_REPLY_TO",
        "Where answers go, when not to the sender.",
        default=None,
        example="support@acme.example",
        cure="Give one bare mail address, or leave it empty.",
    )
    mail_domain: str = setting(
        "DUNNING_MAIL_DOMAIN",
        "The domain in Message-IDs. Default: the domain of `DUNNING_MAIL_FROM`.",
        default_factory=_domain_of_sender,
        example="acme.example",
        cure="Give a bare domain, or leave it empty.",
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
    )


class Brand(Settings):
    """In whose name the mails speak."""

    brand_name: Annotated[str, Field(min_length=1, max_length=80)] = setting(
        "DUNNING_BRAND_NAME",
        "The name your customers know you by.",
        example="Acme",
        cure="Give your product's or company's name (80 characters at most).",
    )
    brand_support_email: Address = setting(
        "DUNNING_BRAND_SUPPORT_EMAIL",
        "The address a customer may write to; shown in each mail.",
        example="support@acme.example",
        cure="Give one bare mail address.",
    )
    brand_website: Link | None = setting(
        "DUNNING_BRAND_WEBSITE",
        "Your website; shown in each mail.",
        default=None,
        example="https://acme.example",
        cure="Give an https:// link, or leave it empty.",
    )
    brand_logo_url: Link | None = setting(
        "DUNNING_BRAND_LOGO_URL",
        "A picture for the head of HTML mails (PNG, up to 320 pixels wide). Without it the name is written.",
        default=None,
        example="https://acme.example/logo.png",
        cure="Give an https:// link, or leave it empty.",
    )
    brand_color: Color = setting(
        "DUNNING_BRAND_COLOR",
        "The colour of buttons in HTML mails.",
        default="#1d4ed8",
        example="#0f766e",
        cure="Write it like #1d4ed8 (in .env with quotes, since # starts a comment).",
    )
    brand_postal_address: Annotated[str, Field(max_length=300)] | None = setting(
        "DUNNING_BRAND_POSTAL_ADDRESS",
        "Your postal address for the foot of each mail; several countries ask for it.",
        default=None,
        example="Acme Ltd, 1 Example Street, Exampletown",
        cure="Give one line of 300 characters at most, or leave it empty.",
    )
    email_templates: Path | None = setting(
        "DUNNING_EMAIL_TEMPLATES",
        "A folder of mail templates of your own: a file in it stands in for the one of the same name in "
        "`emails/templates/`. `dunning emails check` reads them as the worker does when it starts.",
        default=None,
        example="/etc/dunning/templates",
        cure="Give the folder's path, or leave it empty.",
    )


class Times(Settings):
    """In whose time customers read dates."""

    timezone: ZoneInfo = setting(
        "DUNNING_TIMEZONE",
        "The time zone of dates in mails and banners. Everything stored stays in UTC.",
        default="UTC",
        example="Europe/Berlin",
        cure="Give a name of the IANA time zone database.",
    )


class Display(Settings):
    """Where customers are led."""

    billing_page_url: Link = setting(
        "DUNNING_BILLING_PAGE_URL",
        "Where a customer can pay or change the card when Stripe gives no page of its own for the invoice.",
        example="https://acme.example/account/billing",
        cure="Give an https:// link.",
    )
