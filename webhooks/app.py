"""The receiver: verify, store, answer, nudge. Nothing of an event is looked at beyond its envelope."""

import json
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

from db.intake import Row, Unavailable, Unstorable
from providers import systems
from providers.door import Door
from providers.envelope import BadEnvelope, BadSignature, Envelope
from tracing import spans
from webhooks import figures
from webhooks.config import ReceiverConfig
from webhooks.counters import Counters
from webhooks.http import Answer, Disconnected, Receive, Refused, Scope, Send, answer, header, read_body
from webhooks.log import Log
from webhooks.nudge import Nudger
from webhooks.store import Store
from worker.queues import broker_name

OK = answer(200, b"ok\n")
NOT_FOUND = answer(404, b"not found\n")
GET_ONLY = answer(405, b"method not allowed\n", allow="GET, HEAD")
POST_ONLY = answer(405, b"method not allowed\n", allow="POST")
# The same for every reason: what is wrong with a forged request is nobody's business.
INVALID = answer(400, b"invalid webhook\n")
LOGIN = answer(401, b"login needed\n", www_authenticate='Basic realm="webhooks"')
UNAVAILABLE = answer(503, b"try again\n", retry_after="1")

WRONG_MODE = "live and test mode do not mix"


class Receiver:
    """The ASGI application. `start` and `close` are called by the server, inside its event loop."""

    def __init__(self, config: ReceiverConfig, log: Log, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives unix seconds, against which signatures are checked."""
        self._livemode = config.livemode
        self._doors = systems.doors(config.secrets)
        self._read_limit = config.read_limit
        self._log = log
        self._clock = clock
        self._counters = Counters(
            heard=Counter(dict.fromkeys((each.source for each in self._doors.values()), 0))
        )
        self._store = Store(config.database_dsn, log)
        self.metrics_port: int | None = None
        """The port on which `/metrics` is told; on the one that faces the internet it is not."""
        self._broker = broker_name(config.queue_url).lower()
        self._nudger = Nudger(config.queue_url, log)

    def start(self) -> None:
        """Start the store and the nudger; neither waits for its server."""
        self._store.start()
        self._nudger.start()

    async def close(self) -> None:
        """Stop both, when no request is in flight any more."""
        await self._store.close()
        self._nudger.close()

    def figures(self) -> dict[str, object]:
        """What was done since the start, as plain JSON values."""
        return figures.plain(self._counters, self._store, self._nudger)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, then nudge."""
        row_id = None
        try:
            door = self._doors.get(scope["path"])
            if door and scope["method"] == "POST":
                row_id = await self._take_in(door, scope, receive)
                reply = OK
            elif door:
                reply = POST_ONLY
            else:
                reply = await self._elsewhere(scope)
        except Disconnected:
            return
        except Refused as refused:
            reply = self._rejected(refused)
        except Unavailable as unavailable:
            reply = self._unavailable(str(unavailable))
        except Exception as error:  # a fault of ours must cost a retry, never an event or a 500
            self._log.error("webhook.failed", error=type(error).__name__, line=_origin(error))
            reply = self._unavailable("fault")
        await reply.send(send)
        if row_id is not None:
            self._nudger.push(row_id)

    async def _elsewhere(self, scope: Scope) -> Answer:
        path = scope["path"]
        if path == "/metrics" and scope["server"][1] == self.metrics_port:
            return answer(
                200, figures.metrics(self._counters, self._store, self._nudger), figures.CONTENT_TYPE
            )
        match path, scope["method"]:
            case "/healthz", "GET" | "HEAD":
                return OK
            case "/readyz", "GET" | "HEAD":
                return await self._readiness()
            case "/healthz" | "/readyz", _:
                return GET_ONLY
        return NOT_FOUND

    async def _take_in(self, door: Door, scope: Scope, receive: Receive) -> int | None:
        """Store one event; its row's id when a worker should be woken for it."""
        began = time.time_ns()
        body = await read_body(scope, receive, self._read_limit)
        if not body:
            raise Refused("empty", INVALID)
        headers = partial(header, scope)
        try:
            door.check(headers, body, self._clock())
            row = self._row(door.source, door.read(headers, body), body)
            row_id = await self._store.put(row)
        except BadSignature as bad:
            raise Refused(f"signature.{bad}", LOGIN if door.login else INVALID) from None
        except BadEnvelope as bad:
            raise Refused(f"envelope.{bad}", INVALID) from None
        except Unstorable:
            raise Refused("unstorable", INVALID) from None
        self._counters.heard[door.source] += 1
        self._count(row, row_id)
        if row_id is not None:
            spans.arrived(row.source, row.event_id, began, type=row.type, status=row.status)
        return row_id if row.status == "pending" else None

    def _row(self, source: str, envelope: Envelope, body: bytes) -> Row:
        status, note = envelope.disposition, envelope.note
        livemode = self._livemode if envelope.livemode is None else envelope.livemode
        if livemode != self._livemode:
            status, note = "ignored", WRONG_MODE
        return Row(
            source=f"{source}:{envelope.account}" if envelope.account else source,
            event_id=envelope.event_id,
            type=envelope.type,
            livemode=livemode,
            created_at=envelope.created_at,
            status=status,
            note=note,
            payload=body if status == "pending" else None,
        )

    def _count(self, row: Row, row_id: int | None) -> None:
        if row_id is None:
            self._counters.duplicate += 1
        elif row.status == "pending":
            self._counters.accepted += 1
        elif row.note == WRONG_MODE:
            self._counters.wrong_mode += 1
        else:
            self._counters.ignored += 1

    def _rejected(self, refused: Refused) -> Answer:
        self._counters.rejected[refused.reason] += 1
        self._log.warning("webhook.rejected", reason=refused.reason)
        return refused.answer

    def _unavailable(self, reason: str) -> Answer:
        self._counters.unavailable[reason] += 1
        self._log.warning("webhook.unavailable", reason=reason)
        return UNAVAILABLE

    async def _readiness(self) -> Answer:
        """Ready when the inbox can be reached. The broker is only told of: without it events wait."""
        try:
            await self._store.probe()
        except Unavailable:
            database, status = "down", 503
        else:
            database, status = "up", 200
        state = {
            "status": "ready" if status == 200 else "unavailable",
            "database": database,
            self._broker: self._nudger.state,
            "counters": self.figures(),
        }
        return answer(status, json.dumps(state).encode() + b"\n", b"application/json")


def _origin(error: BaseException) -> str:
    """Where it was raised; the error's own text might quote the request."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown"
