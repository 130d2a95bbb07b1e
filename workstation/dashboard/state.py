"""What the engine last said, as pages need it. Frozen: the next look makes a new one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from workstation.client.collection import CollectionView
from workstation.client.declaration import Mode
from workstation.client.jobs import JobView
from workstation.client.messages import (
    GroupView,
    Health,
    InstrumentView,
    OrderView,
    PositionView,
    SessionStatus,
    SessionSummary,
    SignalView,
    SpreadView,
)
from workstation.client.now import SessionNow
from workstation.model.order import OrderPurpose

OVER = frozenset((SessionStatus.STOPPED, SessionStatus.BROKEN))


class BarMode(StrEnum):
    """What fills the bar: the gravest mode of all that runs."""

    COLLECT = "collect"
    PAPER = "paper"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """One look at the engine. `heard_s` is the dashboard's monotonic time of it, None before the first answer."""

    heard_s: float | None = None
    loss: str = "the engine has not answered yet"
    """Why the last look failed; empty where it did not."""
    health: Health | None = None
    sessions: tuple[SessionSummary, ...] = ()
    now: Mapping[str, SessionNow] = field(default_factory=dict)
    """Of the sessions that are not over, by their names."""
    positions: tuple[PositionView, ...] = ()
    orders: tuple[OrderView, ...] = ()
    """Open ones."""
    groups: tuple[GroupView, ...] = ()
    signals: tuple[SignalView, ...] = ()
    """The last ones, oldest first."""
    fills: tuple[OrderView, ...] = ()
    """The last orders that were filled, in part at least, oldest first."""
    spreads: tuple[SpreadView, ...] = ()
    jobs: tuple[JobView, ...] = ()
    """Oldest first; ended ones too."""
    collections: tuple[CollectionView, ...] = ()
    """By their beginning; ended ones too."""
    instruments: Mapping[tuple[str, str], InstrumentView] = field(default_factory=dict)
    """By venue and symbol."""

    def silent_s(self, now_s: float) -> float | None:
        """For how long the engine has not answered; None if it never has."""
        return None if self.heard_s is None else max(0.0, now_s - self.heard_s)

    @property
    def alive(self) -> tuple[SessionSummary, ...]:
        """Sessions that are not over."""
        return tuple(one for one in self.sessions if one.status not in OVER)

    @property
    def mode(self) -> BarMode:
        return BarMode.PAPER if any(one.mode is Mode.PAPER for one in self.alive) else BarMode.COLLECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Sums in one currency over the sessions that are not over."""

    currency: str
    sessions: int
    equity: Decimal | None
    """None while one of them has a leg without a price."""
    day: Decimal | None
    """Made by trading since 00:00 UTC; None where one of them does not know."""
    opening: Decimal

    @property
    def day_return(self) -> Decimal | None:
        """As a fraction of what the day began with."""
        if self.day is None or self.equity is None or self.equity == self.day:
            return None
        return self.day / (self.equity - self.day)


def money_of(sessions: Iterable[SessionSummary]) -> list[Money]:
    """One sum for each currency, the one with most sessions first: amounts of unlike currencies are never added."""
    by_currency: dict[str, list[SessionSummary]] = {}
    for one in sessions:
        by_currency.setdefault(one.currency, []).append(one)
    sums = [
        Money(
            currency=currency,
            sessions=len(those),
            equity=_sum(one.equity for one in those),
            day=_sum(one.day_pnl for one in those),
            opening=sum((one.opening_equity for one in those), Decimal(0)),
        )
        for currency, those in by_currency.items()
    ]
    return sorted(sums, key=lambda one: (-one.sessions, one.currency))


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    """None where one of them is not known: a sum of the others would be read as the whole."""
    total = Decimal(0)
    for value in values:
        if value is None:
            return None
        total += value
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What closing everything would do, in numbers, before it is done."""

    entries: tuple[str, ...]
    """As "0.42 BTC/USDT at nova"."""
    notional_quote: Mapping[str, Decimal] = field(default_factory=dict)
    """By currency, of those with a mark."""
    unpriced: int = 0
    """Positions without a mark, which `notional_quote` leaves out."""
    waiting_entries: int = 0
    """Orders that would open something: the kill switch cancels them."""
    exits: int = 0
    """Resting stops and targets: the kill switch leaves them, as they protect what is held."""
    sessions: int = 0

    @property
    def open_orders(self) -> int:
        return self.waiting_entries + self.exits


def closing_of(state: EngineState, session: str | None = None) -> Closing:
    """Of one session, or of all that are not over."""
    alive = {one.session for one in state.alive if session in (None, one.session)}
    held = [one for one in state.positions if one.session in alive and one.quantity]
    resting = [one for one in state.orders if one.session in alive]
    notional: dict[str, Decimal] = {}
    for one in held:
        if one.mark is not None:
            currency = one.symbol.partition("/")[2].partition(":")[0]
            notional[currency] = notional.get(currency, Decimal(0)) + abs(one.quantity) * Decimal(str(one.mark))
    return Closing(
        entries=tuple(f"{one.quantity:+f} {one.symbol} at {one.venue}" for one in held),
        notional_quote=notional,
        unpriced=sum(one.mark is None for one in held),
        waiting_entries=sum(one.purpose == OrderPurpose.ENTRY for one in resting),
        exits=sum(one.purpose != OrderPurpose.ENTRY for one in resting),
        sessions=len(alive),
    )


def kill_lines(state: EngineState, session: str) -> list[str]:
    """What the kill switch of one session does, for a dialog."""
    closing = closing_of(state, session)
    held = f"Positions stay: {'; '.join(closing.entries)}." if closing.entries else "It holds nothing."
    return [
        f"New orders of {session} are blocked, also after a restart, until the switch is reset.",
        f"Waiting entries are cancelled: {closing.waiting_entries}. Stops and targets stay: {closing.exits}.",
        held,
    ]


def closing_lines(state: EngineState, session: str | None = None) -> list[str]:
    """The same for a dialog: what is closed, for about how much, and with what result if that is all."""
    closing = closing_of(state, session)
    lines = [f"{one} is closed at the market." for one in closing.entries] or ["It holds nothing."]
    lines += [f"Together about {amount:,.0f} {currency}." for currency, amount in closing.notional_quote.items()]
    if closing.unpriced:
        lines.append(f"{closing.unpriced} of them have no price now: for how much is not known.")
    lines.append(f"Resting orders are cancelled: {closing.open_orders}.")
    held = [one for one in state.positions if one.quantity and session in (None, one.session)]
    if held and (result := _sum(one.unrealized_pnl for one in held)) is not None:
        lines.append(f"Estimated result of what is open: {result:+,.2f}, before fees.".replace("-", "−"))
    return lines
