"""What happened and what was decided: the facts of a journal, in three kinds.

An INPUT comes from outside (a command, an instrument's new rules), a DECISION is ours, a RESULT is the venue's answer
to an effect of ours. State is the fold of these facts and of nothing else.

A fact is kept for ever. Its name and version stand in the journal; a field is added with a default, or the version is
raised and an upcaster is written in `ledger/codec.py`.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from workstation.model.group import GroupStatus, PositionGroup
from workstation.model.ids import ClientOrderId, Currency, GroupId, RunId, SignalId, Venue
from workstation.model.instrument import Instrument, InstrumentKey
from workstation.model.order import Fill, OrderRequest
from workstation.model.signal import Signal


class FactKind(StrEnum):
    INPUT = "input"
    DECISION = "decision"
    RESULT = "result"


# -- inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """Each start is a run. It goes on behind `sequence`; rows from `rebuild_from_ns` on rebuild its windows."""

    run_id: RunId
    manifest_hash: str
    sequence: int
    rebuild_from_ns: int | None = None
    anchor_ns: int | None = None
    """Open time of the bar from which the strategy's signals are evaluated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceSet:
    """Opening balance of one currency at one venue."""

    venue: Venue
    currency: Currency
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentListed:
    instrument: Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPaused:
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResumed:
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStopped:
    by: str
    flatten: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLagChanged:
    is_lagging: bool


# -- decisions


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalGenerated:
    signal: Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRefused:
    """Risk said no: which limit, its value and the figure that broke it."""

    signal_id: SignalId
    instrument: InstrumentKey | None
    limit: str
    allowed: str
    figure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOpened:
    group: PositionGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChanged:
    group_id: GroupId
    status: GroupStatus
    reason: str = ""
    next_signal: Signal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSubmitted:
    """The intent, durable before anything is sent."""

    request: OrderRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested:
    client_order_id: ClientOrderId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionHalted:
    reason: str


# -- results


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAccepted:
    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRejected:
    client_order_id: ClientOrderId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilled:
    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled:
    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderExpired:
    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTimedOut:
    """No answer came: the order's fate is not known."""

    client_order_id: ClientOrderId


Input = RunStarted | BalanceSet | InstrumentListed | SessionPaused | SessionResumed | SessionStopped | FeedLagChanged
Decision = (
    SignalGenerated | EntryRefused | GroupOpened | GroupChanged | OrderSubmitted | CancelRequested | SessionHalted
)
Report = OrderAccepted | OrderRejected | OrderFilled | OrderCancelled | OrderExpired | OrderTimedOut
Event = Input | Decision | Report

KINDS: dict[type, FactKind] = (
    dict.fromkeys(Input.__args__, FactKind.INPUT)
    | dict.fromkeys(Decision.__args__, FactKind.DECISION)
    | dict.fromkeys(Report.__args__, FactKind.RESULT)
)


@dataclass(frozen=True, slots=True)
class Fact:
    """An event with its place in the one order and its four times (ns UTC; None where there is no such time).

    `event` is the venue's time, `received` the gate's, `decided` ours, `due` when the effect is to have its outcome.
    `market_row` is the row that woke a decision, as bytes of one MARKET_ROW.
    """

    event: Event
    sequence: int
    ts_received: int
    ts_event: int | None = None
    ts_decided: int | None = None
    ts_due: int | None = None
    market_row: bytes | None = None
