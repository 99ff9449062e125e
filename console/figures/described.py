"""What `console.figures.plain` says, as the API's document describes it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from console.figures.definitions import Unit
from dunning.causes import Cause
from dunning.declines import Category

Month = Annotated[str, Field(pattern=r"^\d{4}-\d{2}$")]
Amount = Annotated[int, Field(description="In the currency's smallest unit.")]


class Rate(BaseModel):
    """A share that lies between these two; they are one where no case is open."""

    low: float
    high: float


class MoneyFigures(BaseModel):
    """Of one currency. due = paid + unpaid + dropped; net = paid - refunded."""

    currency: str
    due: Amount
    paid: Amount
    refunded: Amount
    net: Amount
    unpaid: Amount
    dropped: Amount
    rate: Rate | None


class CaseFigures(BaseModel):
    """cases = recovered + open + lost, of all currencies."""

    cases: int
    recovered: int
    open: int
    lost: int
    rate: Rate | None
    money: list[MoneyFigures]


class MonthFigures(CaseFigures):
    """The cases whose first failure lies in the month. `closed`: none of them is open."""

    month: Month
    closed: bool


class ReasonFigures(CaseFigures):
    category: Category


class CodeFigures(CaseFigures):
    code: str


class OutcomeFigures(CaseFigures):
    outcome: str


class CauseFigures(CaseFigures):
    cause: Cause


class PeriodFigures(BaseModel):
    """Whole months, both included."""

    from_: Annotated[Month, Field(alias="from")]
    to: Month
    time_zone: str


class AtRiskFigures(BaseModel):
    """What is open now, whenever it failed."""

    currency: str
    cases: int
    amount: Amount


class LeftOut(BaseModel):
    first_payments: int


class Quartiles(BaseModel):
    """By so many days a quarter, half and three quarters of the recovered cases had been paid."""

    lower: float
    median: float
    upper: float


class DayFigures(BaseModel):
    """The share that is recovered by the end of a day, and how many cases were watched so long."""

    day: int
    share: float
    watched: int


class WaitFigures(BaseModel):
    recovered: int
    days: Quartiles | None
    by_day: list[DayFigures]


class ChurnFigures(BaseModel):
    """Subscriptions that ended in a month."""

    month: Month
    voluntary: int
    involuntary: int
    unknown: int


class DefinitionText(BaseModel):
    """What a number is: what is in it, and what is not."""

    id: str
    title: str
    unit: Unit
    text: str


class FiguresAnswer(BaseModel):
    """What failed, what was recovered, by what and how fast. `definitions` are by the numbers' names."""

    period: PeriodFigures
    made_at: datetime
    watched_since: datetime | None
    currency: str | None
    test_clocks: bool
    left_out: LeftOut
    at_risk: list[AtRiskFigures]
    total: CaseFigures
    months: list[MonthFigures]
    reasons: list[ReasonFigures]
    codes: list[CodeFigures]
    outcomes: list[OutcomeFigures]
    causes: list[CauseFigures]
    time_to_recover: WaitFigures
    churn: list[ChurnFigures]
    definitions: dict[str, DefinitionText]
