"""Logging for every process: dotted events with ids as fields, one JSON object per line or lines for people.

Modules say `log = structlog.get_logger()` and `log.info("case.opened", case_id=...)`; the entry point calls
`configure` once.
"""

import json
import logging
import sys
import unicodedata
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from settings.redaction import redact

Format = Literal["auto", "json", "console"]
Level = Literal["debug", "info", "warning", "error"]

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(
    process: str, log_format: Format = "auto", level: Level = "info", stream: TextIO | None = None
) -> None:
    """Send structlog and the libraries' stdlib logging to `stream` (default stderr: stdout is for answers).

    `process` (receiver, worker...) stands in each line. Libraries are heard from WARNING on: at INFO they
    write URLs, addresses and arguments.
    """
    out = stream if stream is not None else sys.stderr
    people = out.isatty() if log_format == "auto" else log_format == "console"
    shared: list[Processor] = [
        # The stdlib's text: unlike rich's and structlog's own tracebacks it never shows local variables.
        structlog.processors.format_exc_info,
        redact,
        one_line,
        # What is our own has nothing to hide.
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _bind_process(process),
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)
        if people
        else _as_json
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    _route_stdlib(shared, renderer, out, max(_LEVELS[level], logging.WARNING))


# Made once: `json.dumps` makes one for every line. What is redacted is plain values already.
_JSON = json.JSONEncoder(ensure_ascii=False, default=repr)


def _as_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return _JSON.encode(event)


def one_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A structlog processor: no text can forge a line, or steer the terminal that shows it.

    The lines of a traceback stay, each behind the margin, where no event begins.
    """
    return {name: _on_one_line(value, name) for name, value in event.items()}


def _on_one_line(value: object, name: str) -> object:
    if not isinstance(value, str) or name.startswith("_"):
        return value
    if name == "exception":
        return "\n".join(f"    {_visible(line)}" for line in value.splitlines())
    return _visible(value)


def _visible(text: str) -> str:
    """Control, format and bidi characters, and line breaks, as they are written in a program."""
    # Nearly every text; to look at each of its characters costs more than all the rest of a line.
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode()
        if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        else char
        for char in text
    )


def _bind_process(name: str) -> Processor:
    def add(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["process"] = name
        return event

    return add


def _route_stdlib(shared: list[Processor], renderer: Processor, out: TextIO, level: int) -> None:
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "dramatiq"):
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], True
        library.setLevel(level)
    # An access line holds the path and the client's address; the receiver has events of its own.
    access = logging.getLogger("uvicorn.access")
    access.handlers, access.propagate, access.disabled = [], False, True
