"""A session with its paper venue: wakes in, reports through the gate, acts out through the outbox.

The venue's outcomes are deadlines of the market. On bars the venue goes through a bar in its order, open, then range,
and the session answers in between: what it sends during a bar is at the venue at once.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from workstation.errors import CallerError
from workstation.model.events import Event, Fact, OrderAccepted, OrderTriggered, Report, SessionPaused
from workstation.model.ids import ClientOrderId
from workstation.model.instrument import InstrumentKey
from workstation.model.market import INTERVALS_NS, RowKind, rows_taken
from workstation.model.order import OrderPurpose, OrderRequest
from workstation.ports.broker import Effect, SubmitOrder
from workstation.session.market import Market
from workstation.session.outbox import Outbox
from workstation.session.session import Session
from workstation.session.view import touch_of
from workstation.session.wake import Wake
from workstation.trading.matching import NO_TOUCH, Touch
from workstation.trading.paper import Levels, PaperSettings, PaperVenue
from workstation.windows.advance import INPUT, PRICE

ASKS_NOTHING = (OrderAccepted, OrderTriggered)
"""Reports after which a session has nothing to do."""


KILLED = "the kill switch is on: it was not sent"


class Arrival(NamedTuple):
    """An order, or a cancel, reaches the paper venue; or it is told that an order never left."""

    client_order_id: ClientOrderId
    is_cancel: bool
    never_left: str | None = None


class PaperHost:
    """Subscriber of the market for one session and its venue; also the session's Broker."""

    def __init__(
        self,
        market: Market,
        session: Session,
        settings: PaperSettings,
        *,
        watched_since: Callable[[InstrumentKey], int] = lambda key: 0,
        is_killed: Callable[[], bool] = lambda: False,
    ) -> None:
        """`watched_since`: what an instrument's venue showed before that time (ns) it may long show no more.
        `is_killed`: the kill switch, asked before each order that opens something is sent."""
        self.market, self.session = market, session
        self._watched_since, self._is_killed = watched_since, is_killed
        self.steps = market.steps_of(self)
        self.venue = PaperVenue(settings, session.state.book.available, self._held)
        self.outbox: Outbox | None = None
        self._in_bar = False
        self._at_once: list[Arrival] = []
        self._levels: dict[int, Levels] = {}

    def subscribe(self) -> None:
        """Asks for what strategy and venue need."""
        self.session.subscribe(self)
        for key in self.session.settings.instruments:
            self.market.subscribe_price(self, key, waits_on_bars=self.venue.settings.on_bars)

    def handle(self, wake: Wake) -> None:
        """Does what the wake asks for; foreign data that the venue's grid cannot hold pause this session alone."""
        try:
            self._handle(wake)
        except CallerError as error:
            if not self.session.state.is_paused:
                self._take((self.steps.admit(SessionPaused(by="paper venue", reason=str(error)), wake.time_ns),))

    def _handle(self, wake: Wake) -> None:
        if wake.reasons == PRICE:
            self._touched(wake)
        elif isinstance(wake.payload, Arrival):
            index = self._index_of(wake.payload.client_order_id)
            try:
                self._report(self._arrived(wake.payload, index))
            finally:  # what could not trade at this price waits for the next
                self._set_levels(index)
        else:
            self._act(wake)

    def inject(self, event: Event, now_ns: int) -> None:
        """An input from outside: what is due before it runs first, then it is stamped and acted on."""
        for wake in self.market.advance_time(now_ns):
            wake.subscriber.handle(wake)
        self.admit(event, now_ns)

    def admit(self, event: Event, now_ns: int) -> Sequence[Fact]:
        """An input before which all that was due has run; what was journaled for it, itself first."""
        return self._take((self.steps.admit(event, now_ns),))

    def send(self, effect: Effect) -> None:
        """Takes an effect to the paper venue, to arrive a latency later; during a bar, at once."""
        if isinstance(effect, SubmitOrder):
            key = effect.request.instrument
            due = self.venue.take(effect.request, self.session.state.instruments[key], self.market.registry.index(key))
            arrival, due = self._sent(effect.request, due)
        else:
            due = effect.now_ns + self.venue.settings.latency_ns
            arrival = Arrival(effect.client_order_id, is_cancel=True)
        if self._in_bar:
            self._at_once.append(arrival)
        else:
            self.market.at(due, self, arrival)

    def _sent(self, request: OrderRequest, due_ns: int) -> tuple[Arrival, int]:
        """What becomes of an order, and when; one that opens something does not leave while the kill switch is on."""
        if request.purpose is OrderPurpose.ENTRY and self._is_killed():
            return Arrival(request.client_order_id, is_cancel=False, never_left=KILLED), self.market.gate.now_ns
        return Arrival(request.client_order_id, is_cancel=False), due_ns

    def recover(self, row_again: int | None = None) -> None:
        """Gives the venue back what rested there, the market conditions and deadlines, from the folded state.

        `row_again` is the number of the market row that comes once more, if one does.
        """
        state, gate = self.session.state, self.market.gate
        if row_again is not None and state.filled_row == row_again:
            self.venue.meet_again(row_again, state.row_fills)
        for order in state.orders.values():
            if order.is_final:
                continue
            request = order.request
            index = self.market.registry.index(request.instrument)
            due = self.venue.restore(order, state.instruments[request.instrument], index)
            if self.venue.is_waiting(request.client_order_id):
                arrival, due = self._sent(request, max(due, gate.now_ns))
                self.market.at(due, self, arrival)
            if order.cancel_requested_ns is not None:
                due = order.cancel_requested_ns + self.venue.settings.latency_ns
                self.market.at(max(due, gate.now_ns), self, Arrival(request.client_order_id, is_cancel=True))
        self.session.resume(self)
        for key in self.session.settings.instruments:
            self._set_levels(self.market.registry.index(key))

    # -- the venue's outcomes

    def _touched(self, wake: Wake) -> None:
        row = wake.row
        index, kind = int(row["instrument"]), int(row["kind"])
        if (kind == RowKind.BAR) != self.venue.settings.on_bars or (kind == RowKind.BAR and not self._is_own_bar(row)):
            return  # it was somebody else's level
        number = rows_taken(int(row["sequence"]))
        try:
            if kind == RowKind.BAR:
                self._bar(index, row)
            elif kind == RowKind.TRADE:
                self._report(self.venue.on_trade(index, float(row["x0"]), float(row["x1"]), number))
            else:
                self._report(self.venue.on_quote(index, touch_of(self.market, index), number))
        finally:
            self._set_levels(index)

    def _is_own_bar(self, row: Any) -> bool:
        """Bars of another length would test the same orders against the same prices twice."""
        length = self.session.settings.interval_ns
        return length is None or INTERVALS_NS[row["interval_code"]] == length

    def _bar(self, index: int, row: Any) -> None:
        prices = float(row["x0"]), float(row["x1"]), float(row["x2"])
        self._in_bar = True
        try:
            self._report(self.venue.on_bar_open(index, prices[0]))
            while self._at_once:
                self._run_at_once()
                self._report(self.venue.on_bar_open(index, prices[0]))
            self._report(self.venue.on_bar_range(index, prices))
            while self._at_once:
                self._run_at_once()
        finally:
            # where a bar's prices broke off the walk through it, what was sent in it still arrives
            self._in_bar = False
            late, self._at_once = self._at_once, []
            for arrival in late:
                self.market.at(self.market.gate.now_ns, self, arrival)

    def _run_at_once(self) -> None:
        """What the session sent during the bar is there without latency."""
        arrivals, self._at_once = self._at_once, []
        for arrival in arrivals:
            self._report(self._arrived(arrival, self._index_of(arrival.client_order_id)))

    def _index_of(self, client_order_id: ClientOrderId) -> int:
        return self.market.registry.index(self.session.state.orders[client_order_id].request.instrument)

    def _arrived(self, arrival: Arrival, index: int) -> Iterator[Report]:
        if arrival.never_left is not None:
            return self.venue.refuse(arrival.client_order_id, arrival.never_left)
        if arrival.is_cancel:
            return self.venue.cancel(arrival.client_order_id)
        return self.venue.arrive(
            arrival.client_order_id,
            self._met_on_arrival(index),
            self.market.tables.instruments["last_price"].item(index),
        )

    def _met_on_arrival(self, index: int) -> Touch:
        """The touch; none where the last quote is from before an outage: the order waits for the first new one."""
        received_ns = self.market.tables.instruments["ts_received"].item(index)
        is_watched = received_ns >= self._watched_since(self.market.registry.key(index))
        return touch_of(self.market, index) if is_watched else NO_TOUCH

    def _report(self, reports: Iterator[Report]) -> None:
        """Each report passes the gate on its own, and the session answers before the venue goes on.

        An acceptance or a trigger asks for no answer: it goes along with what follows it at once.
        """
        gate, steps = self.market.gate, self.steps
        unanswered: tuple[Fact, ...] = ()
        try:
            for report in reports:
                facts = (*unanswered, steps.admit(report, gate.now_ns))
                unanswered = facts if isinstance(report, ASKS_NOTHING) else ()
                if not unanswered:
                    self._take(facts)
        finally:
            # what was said before a price that the grid cannot hold is said
            if unanswered:
                self._take(unanswered)

    def _take(self, facts: tuple[Fact, ...]) -> Sequence[Fact]:
        last = facts[-1]
        return self._act(Wake(self, last.ts_received, reasons=INPUT, sequence=last.sequence, facts=facts))

    def _act(self, wake: Wake) -> Sequence[Fact]:
        act = self.session.act(wake)
        if act.facts and self.outbox is not None:
            self.outbox.put(self.session.settings.session_id, act.facts, act.effects)
        return act.facts

    def _held(self, key: InstrumentKey) -> Decimal:
        position = self.session.state.book.position(key)
        return Decimal(0) if position is None else position.signed_quantity

    def _set_levels(self, index: int) -> None:
        levels = self.venue.levels(index)
        if levels != self._levels.get(index):
            self._levels[index] = levels
            self.market.wait_for(self, index, levels)
