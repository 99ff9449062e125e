"""The mail service behind the mail server: what it wants in a mail, and how its webhooks are known."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from settings.checks import BearerKey, SvixSecret
from settings.field import Commas, Settings, setting

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}")

Passwords = Annotated[tuple[BearerKey, ...], Field(min_length=1), Commas]


def _pairs(value: object) -> object:
    """`"X-A: 1, X-B: 2"` -> `(("X-A", "1"), ("X-B", "2"))`; what has no colon fails as a pair."""
    if not isinstance(value, str):
        return value
    return tuple(
        tuple(part.strip() for part in item.split(":", 1)) for item in value.split(",") if item.strip()
    )


def _check_headers(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    for name, value in headers:
        if not _HEADER.fullmatch(name):
            raise ValueError(f"holds {name!r}, which is no name of a header")
        if not value or not value.isprintable() or not value.isascii():
            raise ValueError(f"gives {name} no value of plain characters")
    return headers


def _check_topics(topics: tuple[str, ...]) -> tuple[str, ...]:
    for topic in topics:
        if not _TOPIC.fullmatch(topic):
            raise ValueError("holds something that is no ARN of an SNS topic")
    return topics


class MailService(Settings, title="Mail service"):
    """What the mail service finds in each mail, so that it can tell us later what became of it."""

    mail_service: Literal["resend", "postmark", "ses"] | None = setting(
        "DUNNING_MAIL_SERVICE",
        "The service behind `SMTP_URL`: `resend`, `postmark` or `ses`. Each mail then bears our mark where "
        "that service gives it back. Leave it empty for any other server.",
        default=None,
        example="resend",
        cure="Write resend, postmark or ses, or leave it empty.",
    )
    smtp_headers: Annotated[
        tuple[tuple[str, str], ...], BeforeValidator(_pairs), AfterValidator(_check_headers)
    ] = setting(
        "DUNNING_SMTP_HEADERS",
        "More headers for each mail, `Name: value` with commas between them; `{reference}` stands for the "
        "mail's mark. Postmark's stream and Amazon's configuration set are chosen so.",
        default="",
        example="X-PM-Message-Stream: outbound",
        cure="Write them like X-PM-Message-Stream: outbound, with commas between them.",
    )
    ses_topics: (
        Annotated[tuple[str, ...], Field(min_length=1), Commas, AfterValidator(_check_topics)] | None
    ) = setting(
        "SES_TOPIC_ARNS",
        "The Amazon SNS topics that bring what SES says, with commas between them. Nothing of any other is "
        "believed.",
        default=None,
        example="arn:aws:sns:eu-central-1:123456789012:dunning-mail",
        cure="Copy the ARN from the topic's page in the AWS console.",
    )


class MailWebhooks(Settings, title="Mail service's webhooks"):
    """How the receiver knows mail services. One without its secret has no path here."""

    resend_webhook_secrets: Annotated[tuple[SvixSecret, ...], Field(min_length=1), Commas] | None = setting(
        "RESEND_WEBHOOK_SECRETS",
        "The signing secrets of Resend's webhook, with commas between them while one is replaced; it sends "
        "to `/webhooks/resend`.",
        default=None,
        example="whsec_dGVzdC1zZWNyZXQtb2YtMjQtYnl0ZXM=",
        cure="Copy the signing secret from the webhook's page in Resend.",
    )
    postmark_webhook_passwords: Passwords | None = setting(
        "POSTMARK_WEBHOOK_PASSWORDS",
        "The passwords, with commas between them, with which Postmark logs in at `/webhooks/postmark`: "
        "`https://dunning:PASSWORD@your-host/webhooks/postmark`.",
        default=None,
        example="test-password-0123456789abcdef",
        cure="Give passwords of 16 characters or more, such as `openssl rand -hex 24` prints.",
    )
    ses_webhook_passwords: Passwords | None = setting(
        "SES_WEBHOOK_PASSWORDS",
        "The same for Amazon SNS at `/webhooks/ses`. It signs as well, which the worker checks: see "
        "`SES_TOPIC_ARNS`.",
        default=None,
        example="test-password-0123456789abcdef",
        cure="Give passwords of 16 characters or more, such as `openssl rand -hex 24` prints.",
    )
