"""What happened and what was decided: the facts of a journal, in three kinds.

An INPUT comes from outside (a command, an instrument's new rules), a DECISION is ours, a RESULT is the venue's answer
to an effect of ours. State is the fold of these facts and of nothing else.

A fact is kept for ever. Its name and version stand in the journal; a field is added with the default UNSET, which is
not written, so that what was journaled before keeps its bytes; or the version is raised and an upcaster is written in
`ledger/codec.py`.
"""

from decimal import Decimal
from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType

from workstation.errors import BadInput
from workstation.model.group import GroupStatus, PositionGroup
from workstation.model.ids import ClientOrderId, Currency, GroupId, RunId, SignalId, Venue
from workstation.model.instrument import Instrument, InstrumentKey
from workstation.model.order import Fill, OrderRequest, OrderType
from workstation.model.signal import Signal
from workstation.model.units import Side


class FactKind(StrEnum):
    INPUT = "input"
    DECISION = "decision"
    RESULT = "result"


# -- inputs


class RunStarted(Struct, frozen=True, kw_only=True):
    """Each start is a run. It goes on behind `sequence`; rows from `rebuild_from_ns` on rebuild its windows."""

    run_id: RunId
    manifest_hash: str
    sequence: int
    rebuild_from_ns: int | None = None
    anchor_ns: int | None = None
    """Open time of the bar from which the strategy's signals are evaluated."""
    warm_until_ns: int | UnsetType = UNSET
    """End of the last bar that was known at the start; those up to here were decided on by nobody."""


class BalanceSet(Struct, frozen=True, kw_only=True):
    """Opening balance of one currency at one venue."""

    venue: Venue
    currency: Currency
    amount: Decimal


class InstrumentListed(Struct, frozen=True, kw_only=True):
    instrument: Instrument


class SessionPaused(Struct, frozen=True, kw_only=True):
    by: str
    reason: str = ""


class SessionResumed(Struct, frozen=True, kw_only=True):
    by: str


class SessionStopped(Struct, frozen=True, kw_only=True):
    by: str
    flatten: bool = False


class FeedLagChanged(Struct, frozen=True, kw_only=True):
    is_lagging: bool


class SessionKilled(Struct, frozen=True, kw_only=True):
    """The kill switch is on, as its flag says: nothing is opened any more, and entries that wait are cancelled."""

    by: str
    reason: str = ""
    since_ns: int
    flatten: bool = False


class SessionRearmed(Struct, frozen=True, kw_only=True):
    """The kill switch was lifted."""

    by: str


class OrderAsked(Struct, frozen=True, kw_only=True):
    """An order by hand: a group of one leg, with its stop and target, once it passes the risk gate.

    One of `quantity` and `notional_quote` is given. What was seen when it was asked is part of it.
    """

    by: str
    instrument: InstrumentKey
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    notional_quote: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    seen_price: float | None
    """The mid; None where there is no quote."""
    seen_age_ns: int = 0

    def __post_init__(self) -> None:
        subject = f"order by hand on {self.instrument}"
        if self.type not in (OrderType.MARKET, OrderType.LIMIT):
            raise BadInput(f"{subject}: type {self.type}: expected market or limit")
        if (self.quantity is None) == (self.notional_quote is None):
            got = f"quantity {self.quantity}, notional {self.notional_quote}"
            raise BadInput(f"{subject}: {got}: expected exactly one of them")
        if (self.type is OrderType.LIMIT) != (self.limit_price is not None):
            needs = "needs one" if self.type is OrderType.LIMIT else "has none"
            raise BadInput(f"{subject}: limit_price {self.limit_price}: a {self.type} order {needs}")
        for name in ("quantity", "notional_quote", "limit_price", "stop_price", "target_price"):
            value: Decimal | None = getattr(self, name)
            if value is not None and not (value.is_finite() and value > 0):
                raise BadInput(f"{subject}: {name} {value}: expected more than 0")


class CancelAsked(Struct, frozen=True, kw_only=True):
    """An entry that waits is given up by hand."""

    by: str
    client_order_id: ClientOrderId


class CloseAsked(Struct, frozen=True, kw_only=True):
    """A group, or every group on an instrument, is closed at the market by hand."""

    by: str
    group_id: GroupId | None = None
    instrument: InstrumentKey | None = None


class DayOpened(Struct, frozen=True, kw_only=True):
    """What trading had made (in the session's currency, open profits with it) when the day of `day_ns` (UTC) began."""

    day_ns: int
    made_quote: Decimal


# -- decisions


class SignalGenerated(Struct, frozen=True, kw_only=True):
    signal: Signal


class EntryRefused(Struct, frozen=True, kw_only=True):
    """Risk said no: which limit, its value and the figure that broke it."""

    signal_id: SignalId
    instrument: InstrumentKey | None
    limit: str
    allowed: str
    figure: str


class GroupOpened(Struct, frozen=True, kw_only=True):
    group: PositionGroup


class GroupChanged(Struct, frozen=True, kw_only=True):
    group_id: GroupId
    status: GroupStatus
    reason: str = ""
    next_signal: Signal | None = None


class OrderSubmitted(Struct, frozen=True, kw_only=True):
    """The intent, durable before anything is sent."""

    request: OrderRequest


class CancelRequested(Struct, frozen=True, kw_only=True):
    client_order_id: ClientOrderId
    reason: str


class SessionHalted(Struct, frozen=True, kw_only=True):
    reason: str


class ConditionsChanged(Struct, frozen=True, kw_only=True):
    """Declared conditions that became true or false at one row, by name, in the order of their declaration.

    With hysteresis their truth depends on all that was before: it is kept here, as no window knows it.
    """

    changes: tuple[tuple[str, bool], ...]


# -- results


class OrderAccepted(Struct, frozen=True, kw_only=True):
    client_order_id: ClientOrderId


class OrderTriggered(Struct, frozen=True, kw_only=True):
    """A stop's price was reached: from now on it is a market order, whether or not anything is there to trade with.

    Told where ticks are seen. Within a bar, trigger and fill are one moment, and the fill is told alone.
    """

    client_order_id: ClientOrderId


class OrderRejected(Struct, frozen=True, kw_only=True):
    client_order_id: ClientOrderId
    reason: str


class OrderFilled(Struct, frozen=True, kw_only=True):
    fill: Fill


class OrderCancelled(Struct, frozen=True, kw_only=True):
    client_order_id: ClientOrderId


class OrderExpired(Struct, frozen=True, kw_only=True):
    client_order_id: ClientOrderId


class OrderTimedOut(Struct, frozen=True, kw_only=True):
    """No answer came: the order's fate is not known."""

    client_order_id: ClientOrderId


Input = (
    RunStarted
    | BalanceSet
    | InstrumentListed
    | SessionPaused
    | SessionResumed
    | SessionStopped
    | FeedLagChanged
    | SessionKilled
    | SessionRearmed
    | OrderAsked
    | CancelAsked
    | CloseAsked
    | DayOpened
)
Decision = (
    SignalGenerated
    | EntryRefused
    | GroupOpened
    | GroupChanged
    | OrderSubmitted
    | CancelRequested
    | SessionHalted
    | ConditionsChanged
)
Report = OrderAccepted | OrderTriggered | OrderRejected | OrderFilled | OrderCancelled | OrderExpired | OrderTimedOut
Event = Input | Decision | Report

KINDS: dict[type, FactKind] = (
    dict.fromkeys(Input.__args__, FactKind.INPUT)
    | dict.fromkeys(Decision.__args__, FactKind.DECISION)
    | dict.fromkeys(Report.__args__, FactKind.RESULT)
)


class Fact(Struct, frozen=True):
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
