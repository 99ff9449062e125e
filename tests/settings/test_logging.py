"""Log lines hold dotted events and ids; nothing that could hurt a customer gets into one."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest
import structlog
from pydantic import SecretStr

from settings.logging import Format, configure


@pytest.fixture(autouse=True)
def logging_restored() -> Iterator[None]:
    """Leave the process's logging as it was, for the tests that come after."""
    root, access = logging.getLogger(), logging.getLogger("uvicorn.access")
    before = (root.handlers, root.level, access.disabled)
    config = structlog.get_config()
    yield
    root.handlers, access.disabled = before[0], before[2]
    root.setLevel(before[1])
    structlog.configure(**config)


def lines(out: io.StringIO) -> list[dict[str, object]]:
    """The JSON lines written so far."""
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_event_is_one_json_line_with_its_ids() -> None:
    """Event, level, process and a UTC time stamp stand beside the fields of the call."""
    out = io.StringIO()
    configure("worker", "json", stream=out)
    structlog.get_logger().info("case.opened", case_id=7, key="payment_failed:in_1:attempt:2")
    (line,) = lines(out)
    stamp = datetime.fromisoformat(str(line.pop("timestamp")))
    assert stamp.utcoffset() is not None
    assert not stamp.utcoffset()
    assert line == {
        "event": "case.opened",
        "level": "info",
        "process": "worker",
        "case_id": 7,
        "key": "payment_failed:in_1:attempt:2",
    }


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize(
    "fields",
    [
        {"email": "HIDDEN"},
        {"customer_email": "HIDDEN"},
        {"amount_due": "HIDDEN"},
        {"addresses": ["HIDDEN"]},
        {"payload": {"id": "HIDDEN"}},
        {"recovery_token": "HIDDEN"},
        {"hosted_invoice_url": "HIDDEN"},
        {"Secret": "HIDDEN"},
        {"value": SecretStr("HIDDEN")},
        {"value": {"inner": [{"email": "HIDDEN"}, SecretStr("HIDDEN")]}},
        {"text": "to HIDDEN@example.com"},
        {"text": "postgresql://user:HIDDEN@db/d"},
        {"text": "key sk_live_HIDDEN and whsec_HIDDEN"},
        {"text": "pk_test_HIDDEN"},
        {"text": "rk_live_HIDDEN"},
        {"text": "whsec_HIDDEN"},
        {"text": "dk_HIDDEN"},
        {"error": ValueError("for HIDDEN@example.com")},
    ],
)
def test_a_forbidden_value_never_reaches_the_output(log_format: Format, fields: dict[str, object]) -> None:
    """Forbidden names, secrets, and texts that look like one are redacted in both formats, at any depth."""
    out = io.StringIO()
    configure("worker", log_format, stream=out)
    structlog.get_logger().info("effect.sent", effect_id=1, **fields)
    assert "effect.sent" in out.getvalue()
    assert "[redacted]" in out.getvalue()
    assert "HIDDEN" not in out.getvalue()


def test_ids_and_counts_are_not_redacted() -> None:
    """`email_id` is an id, and `token_count` a number: only the things themselves are forbidden."""
    out = io.StringIO()
    configure("worker", "json", stream=out)
    structlog.get_logger().info("x", email_id=4, token_count=2)
    assert (lines(out)[0]["email_id"], lines(out)[0]["token_count"]) == (4, 2)


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_local_variables(log_format: Format) -> None:
    """The exception's kind and place are written, the values around it are not."""
    out = io.StringIO()
    configure("worker", log_format, stream=out)
    held = "LOCAL VALUE".replace(" ", "-")
    try:
        raise LookupError("nobody@example.com is gone")
    except LookupError:
        structlog.get_logger().exception("event.failed", event_id="evt_1")
        logging.getLogger("some.library").exception("a library failed for %s", "nobody@example.com")
    assert out.getvalue().count("LookupError: [redacted] is gone") == 2
    assert "test_logging.py" in out.getvalue()
    assert held not in out.getvalue()
    assert "nobody@" not in out.getvalue()


def test_libraries_are_heard_from_warnings_on_and_in_the_same_form() -> None:
    """Dramatiq and the rest go through the same renderer; uvicorn's access lines go nowhere."""
    out = io.StringIO()
    configure("receiver", "json", "debug", stream=out)
    logging.getLogger("dramatiq").info("not this")
    logging.getLogger("httpx").info("not this")
    logging.getLogger("uvicorn.access").error("not this")
    logging.getLogger("dramatiq.worker").warning("this")
    logging.getLogger("uvicorn.error").error("and this")
    assert [(line["logger"], line["event"], line["process"]) for line in lines(out)] == [
        ("dramatiq.worker", "this", "receiver"),
        ("uvicorn.error", "and this", "receiver"),
    ]


def test_the_level_is_kept() -> None:
    """Below the configured level nothing is written."""
    out = io.StringIO()
    configure("worker", "json", "warning", stream=out)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in lines(out)] == ["loud"]


def test_auto_means_json_where_there_is_no_terminal() -> None:
    """Containers and pipes get one object per line."""
    out = io.StringIO()
    configure("worker", stream=out)
    structlog.get_logger().info("case.opened")
    assert lines(out)
