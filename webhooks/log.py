"""Log lines of the receiver, in the form all processes share, without structlog (which imports rich).

Only reason codes, counts and names are ever passed in: nothing of a request's header or body.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal, TextIO

Format = Literal["auto", "json", "console"]
Level = Literal["debug", "info", "warning", "error"]

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_PROCESS = "receiver"


class Log:
    """Writes dotted events with fields, one line each: JSON, or for people."""

    def __init__(
        self, log_format: Format = "auto", level: Level = "info", stream: TextIO | None = None
    ) -> None:
        """Write to `stream` (default stderr, since stdout is for answers) from `level` on."""
        self._out = stream if stream is not None else sys.stderr
        self._people = self._out.isatty() if log_format == "auto" else log_format == "console"
        self._least = _LEVELS[level]

    def info(self, event: str, **fields: object) -> None:
        """Something went as it should."""
        self.write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Something that mends itself, or a request that was turned away."""
        self.write("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Something a person should look at."""
        self.write("error", event, fields)

    def write(self, level: Level, event: str, fields: dict[str, object]) -> None:
        """One line, unless `level` is below the least that is wanted."""
        if _LEVELS[level] < self._least:
            return
        now = datetime.now(UTC)
        if self._people:
            text = " ".join(f"{name}={value}" for name, value in fields.items())
            line = f"{now:%Y-%m-%dT%H:%M:%SZ} [{level:<7}] {event:<24} {text}".rstrip()
        else:
            shared = {
                "process": _PROCESS,
                "event": event,
                "level": level,
                "timestamp": f"{now.isoformat()[:-6]}Z",
            }
            line = json.dumps({**fields, **shared})
        self._out.write(line + "\n")
        self._out.flush()


class LibraryHandler(logging.Handler):
    """Passes on what libraries log: the bare template of a message, since its arguments may hold anything."""

    def __init__(self, log: Log) -> None:
        """From WARNING on."""
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """One event `library.warning` or `library.error`, with the template and the error's class."""
        fields: dict[str, object] = {"logger": record.name}
        fields["message"] = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
        if record.exc_info and record.exc_info[0]:
            fields["error"] = record.exc_info[0].__name__
        level: Level = "error" if record.levelno >= logging.ERROR else "warning"
        self._log.write(level, f"library.{level}", fields)


def route_libraries(log: Log) -> None:
    """Send the standard library's logging through `log`, and silence access lines (they hold addresses)."""
    root = logging.getLogger()
    root.handlers = [LibraryHandler(log)]
    root.setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True
