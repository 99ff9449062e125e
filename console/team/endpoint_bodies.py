"""What is said when an endpoint is added, changed or told something again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, ConfigDict, Field, WithJsonSchema, model_validator

from console.inputs import Body, Inputs, NotNull, Sentence, Whole, schema_of
from dunning.outgoing import EventType

# A plain https:// URL: by name, without user, password or fragment. The same as `outbound.addresses` follows.
_URL: Final = (
    r"^https://[A-Za-z0-9][A-Za-z0-9.-]{0,200}(:([1-9][0-9]{0,3}|[1-5][0-9]{4}))?"
    r"(/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?$"
)
_EVENT: Final = r"^([a-z]+\.[a-z]+|msg_[0-9a-f]{32})$"
_TIME: Final = {"type": "string", "format": "date-time", "pattern": "^2[0-9]{3}-"}
# Times that every database can hold.
FIRST, LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(3100, 1, 1, tzinfo=UTC)
MOST = 200
USUALLY = 50


class NewEndpoint(Body):
    """Where events shall be sent."""

    url: Annotated[str, Field(pattern=_URL, max_length=1000, description="An https:// URL.")]
    events: Annotated[
        list[EventType],
        Field(default_factory=list, max_length=20, description="Only these types; none are all."),
    ]
    about: Annotated[Sentence | None, NotNull, WithJsonSchema(schema_of(Sentence))] = None


class Rotation(Body):
    """How long the present secret signs as well."""

    overlap_hours: Annotated[int, Field(ge=0, le=720), Whole] = 24


class Nothing(Body):
    """There is nothing to say: `{}`."""


class Replay(Body):
    """Which events are sent again: those that fit everything that is given."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": ["since"]}, {"required": ["event"]}, {"required": ["failed"]}]
        }
    )

    since: Annotated[
        AwareDatetime | None,
        NotNull,
        WithJsonSchema(_TIME),
        Field(ge=FIRST, le=LAST, description="What happened since then."),
    ] = None
    event: Annotated[
        str | None,
        NotNull,
        WithJsonSchema({"type": "string", "pattern": _EVENT}),
        Field(pattern=_EVENT, description="A type, or the id of one event."),
    ] = None
    failed: Annotated[
        bool | None,
        NotNull,
        WithJsonSchema({"type": "boolean"}),
        Field(description="Only what was not accepted."),
    ] = None

    @model_validator(mode="after")
    def _says_which(self) -> Replay:
        if not self.model_fields_set:
            raise ValueError("say which: since, event or failed")
        return self


class DeliveriesQuery(Inputs):
    """Which deliveries, the newest first."""

    status: Annotated[Literal["pending", "delivered", "failed"] | None, Field(description="Only those.")] = (
        None
    )
    limit: Annotated[int, Field(ge=1, le=MOST, description="So many at most.")] = USUALLY
    before: Annotated[int | None, Field(ge=1, le=2**62, description="`next` of the page before.")] = None
