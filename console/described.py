"""What the access API takes and answers, as its document describes it; nothing of it is loaded to answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from dunning.access import Level, Reason


class Source(BaseModel):
    """Whose customer it is."""

    source: Annotated[
        str | None,
        Field(
            description="The billing provider; without it the only one that has customers here, else Stripe."
        ),
    ] = None


class Language(BaseModel):
    """The reader's languages."""

    accept_language: Annotated[
        str | None, Field(alias="Accept-Language", description="Else the customer's own languages count.")
    ] = None


class AccessAnswer(BaseModel):
    """A decision that was made and written down."""

    customer: str
    access: Annotated[bool, Field(description="False for `revoked` alone.")]
    level: Level
    reason: Reason
    until: Annotated[datetime | None, Field(description="When this level ends by itself at the earliest.")]
    subscription: str | None
    changed_at: datetime
    banner: Annotated[str | None, Field(description="For the customer to read.")]


class Labels(BaseModel):
    """What stands on the buttons."""

    link: str
    close: str
    leave: str


class BannerAnswer(BaseModel):
    """What is shown, in the reader's language; with full access nothing is."""

    customer: str
    level: Level
    show: Literal["banner", "wall"] | None
    lang: str
    dir: Literal["ltr", "rtl"]
    text: str | None
    deadline: datetime | None
    deadline_text: str | None
    link: str | None
    labels: Labels


class Standing(BaseModel):
    """How the process is."""

    status: str
    database: str | None = None
