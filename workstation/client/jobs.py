"""Jobs: a replay, a back-test or a download as a person asks the engine for it, and what the engine tells of it.

Each runs in a process of its own: the first two over stored history, the third fills it. Times are ns UTC.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from workstation.client.declaration import (
    DECIMAL_TEXT,
    Message,
    Money,
    Parameter,
    StrategyDeclaration,
    Word,
)
from workstation.config.settings import IntervalLabel, Settings
from workstation.errors import BadInput
from workstation.history.download_kind import DownloadKind
from workstation.model.instrument import checked_key

FIRST_NS, LAST_NS = 10**17, 2**63 - 1
"""From 1973 on: a time in seconds, milliseconds or microseconds is below."""
Moment = Annotated[int, Field(ge=FIRST_NS, le=LAST_NS)]
JOB_NAME = re.compile(r"^[a-z][a-z-]{0,29}-[0-9]{1,9}$")
FillAtWord = Literal["next-open", "this-close"]


class JobKind(StrEnum):
    REPLAY = "replay"
    BACKTEST = "backtest"
    DOWNLOAD = "download"


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


def _is_symbol(text: str) -> str:
    try:
        checked_key("any", text)
    except BadInput as error:
        raise PydanticCustomError("symbol", "Input should be BASE/QUOTE or BASE/QUOTE:QUOTE") from error
    return text


class DownloadJob(OverHistory):
    """A venue's past of [start, end) into the history, as `workstation data download` has it."""

    kind: Literal[JobKind.DOWNLOAD] = JobKind.DOWNLOAD
    start_ns: Moment
    """Without an end it goes on until now."""
    venue: Word
    """Of the settings."""
    symbol: Annotated[Word, AfterValidator(_is_symbol)]
    data_kind: DownloadKind = DownloadKind.BARS
    interval: Annotated[IntervalLabel | None, Field(validate_default=True)] = None
    """Of bars; None is 1m."""
    again: bool = False
    """What was had before is asked for too."""

    @field_validator("interval")
    @classmethod
    def _is_of_bars(cls, interval: IntervalLabel | None, info: ValidationInfo) -> IntervalLabel | None:
        kind = info.data.get("data_kind")
        if kind is DownloadKind.BARS:
            return "1m" if interval is None else interval
        if kind is not None and interval is not None:
            raise PydanticCustomError("interval", "Input should be null: {kind} have no interval", {"kind": str(kind)})
        return interval

    @property
    def series(self) -> str:
        """As the history names it, "bars nova:BTC/USDT 1m"."""
        interval = "" if self.interval is None else f" {self.interval}"
        return f"{self.data_kind} {self.venue}:{self.symbol}{interval}"


Request = ReplayJob | BacktestJob | DownloadJob
JobRequest = Annotated[Request, Field(discriminator="kind")]


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


class DownloadGap(Message):
    """[from, to) without a bar."""

    from_ns: int
    to_ns: int


class DownloadResult(Message):
    """What a download brought, and what of its span is not there."""

    rows_stored: int
    rows_known: int
    """That came, and were stored before."""
    rows_differing: int
    """Of those, with other values now: the stored ones stay."""
    questions: int
    """To the venue; 0 where all of it was asked for before."""
    refused: int
    """Rows that are none: of a wrong form, or of impossible prices."""
    first_ns: int | None
    """The first row of the span that is there; None: there is none."""
    bars: int | None = None
    """That are there; this and the next ones are None for what is no bars."""
    bars_missing: int | None = None
    """Of those between the first one and the span's end."""
    gap_count: int | None = None
    gaps: tuple[DownloadGap, ...] = ()
    """The ten longest, the longest first."""


class JobView(Message):
    job: str
    """Such as replay-7."""
    kind: JobKind
    session: str | None
    strategy: str | None
    """None for a download."""
    series: str | None = None
    """That is downloaded, such as "bars nova:BTC/USDT 1m"."""
    start_ns: int | None = None
    """Of the span that was asked for, with `end_ns`; None is no bound."""
    end_ns: int | None = None
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
    """None before its process has looked, and for a download: how many rows a venue has is not known before."""
    progress: float = 0.0
    """From 0 to 1; of a download, how much of what it asks for the venue has answered."""
    rows_per_s: float | None = None
    left_s: float | None = None
    """At the pace so far, as the one before."""
    note: str = ""
    """What holds it up, such as a venue that does not answer; empty once it goes on."""
    result: JobResult | DownloadResult | None = None
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
    share: float | None = None
    """From 0 to 1, where the rows in all are not known."""
    note: str | None = None
    result: JobResult | DownloadResult | None = None
    failure: str | None = None


def figures_of(view: JobView) -> Mapping[str, float | None]:
    """Of a replay or a back-test that is done; else none."""
    return view.result.figures if isinstance(view.result, JobResult) else {}


def instruments_of(request: Request) -> tuple[str, ...]:
    venues = request.venues if isinstance(request, ReplayJob) else (request.venue,)
    return tuple(f"{venue}:{request.symbol}" for venue in venues)
