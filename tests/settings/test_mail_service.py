"""What the mail service is told in each mail, and who may speak for it: what cannot be meant is refused."""

from email import message_from_bytes

import pytest

from emails.reference import reference
from emails.render import RenderedMail
from settings import ReceiverSettings, SettingsError, WorkerSettings
from tests.settings.examples import from_env
from worker.build import courier

TOPIC = "arn:aws:sns:eu-central-1:123456789012:dunning-mail"


def test_the_headers_of_a_service_and_further_ones_are_in_each_mail() -> None:
    """As they leave through the courier; the mark is the mail's own."""
    settings = from_env(
        WorkerSettings,
        DUNNING_MAIL_SERVICE="ses",
        DUNNING_SMTP_HEADERS="X-SES-CONFIGURATION-SET: dunning, X-Own: a:{reference}",
        SES_TOPIC_ARNS=TOPIC,
    )
    stored = {"subject": "s", "text": "t", "html": "h", "thread": None, "date": "2026-03-02T09:00:00+00:00"}
    mail = RenderedMail("s", "t", "<p>h</p>")
    written = courier(settings)._message(mail, "payment_failed:in_1:1", "ada@customer.example", stored)
    message = message_from_bytes(written)
    mark = reference("payment_failed:in_1:1")
    assert message["X-SES-MESSAGE-TAGS"] == f"dunning={mark}"
    assert message["X-SES-CONFIGURATION-SET"] == "dunning"
    assert (message["X-Own"], message["X-Dunning-Reference"]) == (f"a:{mark}", mark)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DUNNING_MAIL_SERVICE", "sendgrid", "Write resend, postmark or ses"),
        ("DUNNING_SMTP_HEADERS", "X-PM-Message-Stream", "with commas between them"),
        ("DUNNING_SMTP_HEADERS", "no header: x", "no name of a header"),
        ("DUNNING_SMTP_HEADERS", "X-Stream:", "no value of plain characters"),
        ("SES_TOPIC_ARNS", "arn:aws:sqs:eu-central-1:123456789012:queue", "no ARN of an SNS topic"),
    ],
)
def test_what_cannot_be_meant_for_a_worker(name: str, value: str, said: str) -> None:
    """Told when it starts, with the cure."""
    with pytest.raises(SettingsError, match=said):
        from_env(WorkerSettings, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RESEND_WEBHOOK_SECRETS", "whsec_telltale"),
        ("RESEND_WEBHOOK_SECRETS", "telltale"),
        ("POSTMARK_WEBHOOK_PASSWORDS", "telltale"),
        ("SES_WEBHOOK_PASSWORDS", "test-password-0123456789abcdef,"),
    ],
)
def test_a_secret_that_keeps_nobody_out(name: str, value: str) -> None:
    """Refused by the receiver, without being shown."""
    with pytest.raises(SettingsError, match=name) as refused:
        from_env(ReceiverSettings, **{name: value})
    assert value not in str(refused.value)
