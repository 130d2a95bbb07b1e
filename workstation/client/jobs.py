"""Jobs: a replay or a back-test as a person asks the engine for it, and what the engine tells of it.

Each runs in a process of its own, over stored history. Times are ns UTC.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from workstation.client.declaration import (
    DECIMAL_TEXT,
    Message,
    Money,
    Parameter,
    StrategyDeclaration,
    Word,
)
from workstation.config.settings import Settings

FIRST_NS, LAST_NS = 10**17, 2**63 - 1
"""From 1973 on: a time in seconds, milliseconds or microseconds is below."""
Moment = Annotated[int, Field(ge=FIRST_NS, le=LAST_NS)]
JOB_NAME = re.compile(r"^[a-z][a-z-]{0,29}-[0-9]{1,9}$")
FillAtWord = Literal["next-open", "this-close"]


class JobKind(StrEnum):
    REPLAY = "replay"
    BACKTEST = "backtest"


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """`reason` says why."""
    CANCELLED = "cancelled"


ENDED = frozenset((JobState.DONE, JobState.FAILED, JobState.CANCELLED))


class OverHistory(Message):
    """[start, end) of what is taken: of bars their opening, of quotes and trades their receipt; None is no bound."""

    start_ns: Moment | None = None
    end_ns: Moment | None = None

    @field_validator("end_ns")
    @classmethod
    def _ends_later(cls, end_ns: int | None, info: ValidationInfo) -> int | None:
        start_ns = info.data.get("start_ns")
        if start_ns is not None and end_ns is not None and end_ns <= start_ns:
            raise PydanticCustomError("span", "Input should be later than start_ns {start_ns}", {"start_ns": start_ns})
        return end_ns


class ReplayJob(StrategyDeclaration, OverHistory):
    """A session over history, by the code that trades; journaled in a ledger of the job's own."""

    kind: Literal[JobKind.REPLAY] = JobKind.REPLAY
    with_trades: bool = False
    """Public trades are taken too, and fill resting orders; they must be stored."""
    fill_at: FillAtWord | None = None
    """Where an order that a bar strategy decides at a bar's close trades; None is next-open."""


class BacktestJob(OverHistory):
    """A bar strategy in one compiled pass: no session, no journal."""

    kind: Literal[JobKind.BACKTEST] = JobKind.BACKTEST
    strategy: Word
    parameters: Annotated[Mapping[Word, Parameter], Field(max_length=100)] = Field(default_factory=dict)
    venue: Word
    symbol: Word
    interval: Word
    sizing: Word = "equity-fraction=0.95"
    leverage: Annotated[float, Field(gt=0, le=1000)] = 1.0
    balance: Money = Decimal(10_000)
    slippage_bps: Annotated[Decimal, Field(ge=0, lt=10_000, decimal_places=18), DECIMAL_TEXT] | None = None
    fill_at: FillAtWord = "next-open"


JobRequest = Annotated[ReplayJob | BacktestJob, Field(discriminator="kind")]


class JobResult(Message):
    """The figures of a job that is done, None where one is not defined; their formulas stand in research.results."""

    currency: str
    figures: Mapping[str, float | None]
    rows: int
    refused: Mapping[str, int]
    """Entries, by the limit that refused them."""
    run: str | None
    """In `ledger`, for `workstation verify`; None for what is not journaled."""
    ledger: str | None
    halted: str | None
    """Why the session stopped trading before the end."""


class JobView(Message):
    job: str
    """Such as replay-7."""
    kind: JobKind
    session: str | None
    strategy: str
    instruments: tuple[str, ...]
    """As "venue:symbol"."""
    state: JobState
    reason: str
    by: str
    """Who asked for it."""
    asked_ns: int
    started_ns: int | None = None
    ended_ns: int | None = None
    rows: int = 0
    rows_total: int | None = None
    """None before its process has looked."""
    progress: float = 0.0
    """From 0 to 1."""
    left_s: float | None = None
    """At the pace so far."""
    result: JobResult | None = None
    folder: str


class JobDetail(JobView):
    request: JobRequest


class JobOrder(Message):
    """`request.json` of a job's folder: all that its process needs to know."""

    job: str
    by: str
    asked_ns: int
    request: JobRequest
    settings: Settings


class JobLine(Message):
    """One line of what a job's process says: how far it is, what came of it, or why nothing did."""

    rows: int | None = None
    rows_total: int | None = None
    result: JobResult | None = None
    failure: str | None = None


def instruments_of(request: ReplayJob | BacktestJob) -> tuple[str, ...]:
    venues = request.venues if isinstance(request, ReplayJob) else (request.venue,)
    return tuple(f"{venue}:{request.symbol}" for venue in venues)
