"""Session: the stages of one act, in order. Pure: no I/O, no clock, no await.

    book → orders → strategy → groups → risk → (facts, effects)

It only orders the stages; what each does is tested without it: `state` folds, `trading.groups` decides what a group
does next, `entries` sizes and asks the risk gate, the strategy speaks through `Signal`s.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from workstation.errors import BadInput, CallerError
from workstation.model.events import (
    CancelRequested,
    ConditionsChanged,
    EntryRefused,
    Event,
    Fact,
    GroupChanged,
    GroupOpened,
    OrderAccepted,
    OrderAsked,
    OrderFilled,
    OrderSubmitted,
    OrderTriggered,
    SessionHalted,
    SignalGenerated,
)
from workstation.model.group import GroupStatus, PositionGroup
from workstation.model.ids import Currency, GroupId, SignalId, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.market import Rows
from workstation.model.signal import Signal, SignalAction
from workstation.model.units import exact_decimal
from workstation.ports.broker import CancelOrder, Effect, SubmitOrder
from workstation.session.asked import asked_by, is_left_by, of_strategy, opposed, sides_of
from workstation.session.bar_intents import intents_of, missed_exits
from workstation.session.bar_signals import BarSignals
from workstation.session.by_hand import entry_by_hand, plan_by_hand, signal_by_hand
from workstation.session.entries import Seen, market_entries, plan_entry, request_for
from workstation.session.market import Market
from workstation.session.reservations import free
from workstation.session.settings import SessionSettings
from workstation.session.state import SessionState
from workstation.session.strategy_checks import checked_conditions, checked_intent
from workstation.session.view import SessionView
from workstation.session.wake import Subscriber, Wake
from workstation.strategies.base import BarStrategy, Intent, Strategy, TickStrategy
from workstation.trading.groups import Draft, next_step
from workstation.trading.limits import Refusal
from workstation.windows.advance import DEADLINE, EVERY_ROW
from workstation.windows.specs import ConditionSpec

MOVES_NO_GROUP = frozenset({OrderAccepted, OrderTriggered, ConditionsChanged})
"""Facts after which every group stands where it stood."""


class Act(NamedTuple):
    """What one wake led to: facts to journal, in order, and effects that leave once these are durable."""

    facts: list[Fact]
    effects: list[Effect]


class Session:
    """One strategy, its orders and its money. `state` is folded; everything else is declared or rebuilt."""

    def __init__(self, settings: SessionSettings, strategy: Strategy, market: Market, state: SessionState) -> None:
        self.settings, self.strategy, self.market, self.state = settings, strategy, market, state
        self.bars: BarSignals | None = None
        if isinstance(strategy, BarStrategy):
            if settings.interval_ns is None or len(settings.instruments) != 1:
                raise BadInput(f"session {settings.session_id}: a bar strategy needs one instrument and interval_ns")
            self.bars = BarSignals(strategy, settings.interval_ns)
        self.view = SessionView(market, state)
        self._known_ns = state.last_ns
        """The last fact before this run."""
        self._is_back = False
        """The bars that closed before this run are still to be looked at for an exit."""
        self._conditions: Sequence[ConditionSpec] = ()
        self._subscriber: Subscriber | None = None
        self._facts: list[Fact] = []
        self._effects: list[Effect] = []
        self._wake: Wake | None = None
        self._row: bytes | None = None

    def subscribe(self, subscriber: Subscriber) -> None:
        """Asks the market for the windows, bars and rows that the strategy declared; `subscriber` is woken for them.

        Its conditions wait for `resume`: a start that rebuilds windows must test none on the way.
        """
        keys, self._subscriber = self.settings.instruments, subscriber
        if isinstance(self.strategy, TickStrategy):
            windows = self.strategy.windows(keys)
            self.view.slots = {name: self.market.subscribe_window(spec) for name, spec in windows.items()}
            self._conditions = checked_conditions(self.strategy.conditions(), windows)
            for key in keys if self.strategy.is_woken_by_every_row else ():
                self.market.subscribe_every_row(subscriber, key)
        elif self.settings.bars_from_trades:
            self.market.subscribe_trade_bars(subscriber, keys[0], self.settings.interval_ns or 0)
        else:
            self.market.subscribe_bars(subscriber, keys[0], self.settings.interval_ns or 0)

    @property
    def conditions(self) -> Sequence[ConditionSpec]:
        """What the strategy waits for."""
        return self._conditions

    def expect(self, rows: Rows) -> None:
        """Rows that come next, in replay: where the bars among them are the foreseen ones, silent bars wake nobody."""
        if self.bars is not None:
            self.bars.expect(rows, self.market.registry.index(self.settings.instruments[0]))
            self._sleep()

    def _sleep(self) -> None:
        settings = self.settings
        if self.bars is None or self._subscriber is None or settings.interval_ns is None or settings.bars_from_trades:
            return
        silent_until = self.bars.silent_until()
        self.market.let_bars_pass(self._subscriber, settings.instruments[0], settings.interval_ns, silent_until)

    def resume(self, subscriber: Subscriber) -> None:
        """Before a run's first new row: what only the folded state knows, conditions' truth and groups' deadlines."""
        for condition in self._conditions:
            slot, is_true = self.view.slots[condition.window], self.state.conditions.get(condition.name, False)
            self.market.subscribe_condition(subscriber, condition, slot, is_true=is_true)
        for group in self.state.groups.values():
            if group.due_ns is not None:
                self.market.at(max(group.due_ns, self.market.gate.now_ns), subscriber)
        if self.bars is not None and self.bars.warm_until_ns and self.state.groups:
            self._is_back = True
            self.market.at(self.market.gate.now_ns, subscriber)

    def act(self, wake: Wake) -> Act:
        """All stages for one wake. What an unsound strategy raises halts this session and nothing else."""
        self._facts, self._effects, self._wake = [], [], wake
        self._row = None
        for fact in wake.facts:
            self.state.apply(fact)
            self._facts.append(fact)
        if wake.changes:
            self._record(ConditionsChanged(changes=tuple(wake.changes.items())))
        try:
            for fact in wake.facts:
                self._heed(fact.event)
            for intent in self._think(wake):
                self._on_intent(intent)
            if wake.reasons & DEADLINE or any(type(fact.event) not in MOVES_NO_GROUP for fact in self._facts):
                self._settle()
        except CallerError as error:  # a value that no order can have, found on the way to the venue's grid
            self.halt(str(error))
        return Act(self._facts, self._effects)

    def halt(self, reason: str) -> None:
        """No entries any more; what protects an open position stays."""
        if self.state.halted is None:
            self._record(SessionHalted(reason=reason))

    # -- strategy

    def _think(self, wake: Wake) -> list[Intent]:
        """What the strategy wants. The one broad catch of the core: its code is not ours."""
        looks_back = self._is_back and bool(wake.reasons & DEADLINE)
        if wake.bar is None and not wake.changes and not wake.reasons & EVERY_ROW and not looks_back:
            return []
        is_muted = self.state.halted is not None or self.state.is_stopped
        try:
            if looks_back:
                self._is_back = False
                return [] if is_muted else self._missed_exits(self.bars)
            if wake.bar is not None and self.bars is not None:
                decision = self.bars.take(wake.bar, is_muted=is_muted)
                self._sleep()
                return [] if decision is None else intents_of(decision, self.settings.instruments[0])
            if isinstance(self.strategy, TickStrategy) and not is_muted:
                return [
                    checked_intent(intent, self.settings.instruments)
                    for intent in self.strategy.on_wake(wake.changes or {}, self.view)
                ]
        except Exception as error:  # noqa: BLE001
            self.halt(f"strategy {self.settings.strategy}: {type(error).__name__}: {error}")
        return []

    def _missed_exits(self, bars: BarSignals | None) -> list[Intent]:
        """Of one interval before the last fact too, as its bar may have come late."""
        assert bars is not None and self.settings.interval_ns is not None
        return missed_exits(of_strategy(self.state), bars, self._known_ns - self.settings.interval_ns)

    # -- by hand

    def _heed(self, event: Event) -> None:
        """What came from outside asks for."""
        assert self._wake is not None
        if isinstance(event, OrderAsked):
            self._open_by_hand(event)
            return
        cancel, close, reason = asked_by(event, self.state)
        for order in cancel:
            if order.cancel_requested_ns is None:
                self._record(CancelRequested(client_order_id=order.request.client_order_id, reason=reason))
                self._effects.append(CancelOrder(order.request.client_order_id, self._wake.time_ns))
        for group in close:
            self._change(group, GroupStatus.CLOSING, reason)

    def _open_by_hand(self, asked: OrderAsked) -> None:
        assert self._wake is not None
        state, signal = self.state, signal_by_hand(asked, SignalId(str(self.state.signals)))
        self._record(SignalGenerated(signal=signal))
        planned: PositionGroup | Refusal | None = self._no_entries() or opposed(signal, state.groups.values())
        if planned is None:
            instrument, now_ns = state.instruments[asked.instrument], self._wake.time_ns
            planned = plan_by_hand(asked, signal, self.settings, instrument, self._free, len(state.groups), now_ns)
        if isinstance(planned, Refusal):
            self._refuse(signal, planned)
        else:
            self._begin(planned, [entry_by_hand(asked, planned)], asked.seen_price)

    # -- groups

    def _on_intent(self, intent: Intent) -> None:
        """An intent that changes something becomes a signal; one that finds things as it wants them leaves no trace."""
        groups = of_strategy(self.state)
        if intent.action is SignalAction.EXIT:
            leaving = [g for g in groups if is_left_by(g, intent.exit_side)]
            if leaving:
                self._generate(intent)
            for group in leaving:
                self._change(group, GroupStatus.CLOSING, intent.reason or "exit signal")
            return
        if any(g.status is not GroupStatus.CLOSING and sides_of(g.legs) == sides_of(intent.legs) for g in groups):
            return
        signal, refusal = self._generate(intent), self._no_entries()
        for group in groups:
            self._change(group, GroupStatus.CLOSING, "opposite signal", None if refusal else signal)
        if refusal is not None:
            self._refuse(signal, refusal)
        elif not groups:
            self._open(signal)

    def _generate(self, intent: Intent) -> Signal:
        signal = Signal(
            signal_id=SignalId(str(self.state.signals)),
            strategy=self.settings.strategy,
            action=intent.action,
            legs=intent.legs,
            exit_side=intent.exit_side,
            stop_distance=intent.stop_distance,
            target_distance=intent.target_distance,
            reason=intent.reason,
        )
        self._record(SignalGenerated(signal=signal))
        return signal

    def _settle(self) -> None:
        """Moves every group as far as it goes now."""
        state = self.state
        late = [state.closed_groups[i] for i in self._reported_groups() if i in state.closed_groups]
        for group in [*state.groups.values(), *late]:
            moved: PositionGroup | None = group
            while moved is not None and self._move(moved):
                moved = state.groups.get(group.group_id)

    def _reported_groups(self) -> set[GroupId]:
        """Groups of the orders that the wake's facts speak of."""
        assert self._wake is not None
        fills = [fact.event.fill for fact in self._wake.facts if isinstance(fact.event, OrderFilled)]
        return {self.state.orders[fill.client_order_id].request.group_id for fill in fills}

    def _move(self, group: PositionGroup) -> bool:
        """One step of a group; whether there may be another."""
        assert self._wake is not None
        step = next_step(group, self.state.orders_of(group.group_id), self._wake.time_ns)
        if step.stuck is not None:
            self.halt(step.stuck)
        for order_id, reason in step.cancel:
            self._record(CancelRequested(client_order_id=order_id, reason=reason))
            self._effects.append(CancelOrder(order_id, self._wake.time_ns))
        for draft in step.submit:
            self._submit(draft, group)
        if step.status is None:
            return False
        self._change(group, step.status, step.reason or group.close_reason, group.next_signal)
        if step.status is GroupStatus.CLOSED and group.next_signal is not None:
            self._open(group.next_signal)
        return True

    def _change(
        self, group: PositionGroup, status: GroupStatus, reason: str, next_signal: Signal | None = None
    ) -> None:
        self._record(GroupChanged(group_id=group.group_id, status=status, reason=reason, next_signal=next_signal))

    # -- risk

    def _no_entries(self) -> Refusal | None:
        """Why nothing may be opened now, whatever it is."""
        state = self.state
        for limit, is_on in (("paused", state.is_paused), ("stopped", state.is_stopped), ("lagging", state.is_lagging)):
            if is_on:
                return Refusal(limit, "no entries", limit)
        if state.killed is not None:
            why = f": {state.killed.reason}" if state.killed.reason else ""
            return Refusal("kill switch", "no entries", f"on by {state.killed.by}{why}")
        return None if state.halted is None else Refusal("halted", "no entries", state.halted)

    def _open(self, signal: Signal) -> None:
        assert self._wake is not None
        refusal = self._no_entries() or opposed(signal, self.state.groups.values())
        planned = refusal or plan_entry(
            signal,
            self.settings,
            self.state.instruments,
            self._seen,
            self._equity(),
            self._free,
            len(self.state.groups),
            self._wake.time_ns,
        )
        if isinstance(planned, Refusal):
            self._refuse(signal, planned)
            return
        self._begin(planned, market_entries(planned))

    def _begin(self, group: PositionGroup, entries: Iterable[Draft], seen_price: float | None = None) -> None:
        """Opens a group that risk let pass."""
        assert self._wake is not None
        self._record(GroupOpened(group=group), due_ns=group.due_ns)
        if group.due_ns is not None:
            self.market.at(group.due_ns, self._wake.subscriber)
        for draft in entries:
            self._submit(draft, group, seen_price)

    def _refuse(self, signal: Signal, refusal: Refusal) -> None:
        limit, allowed, figure, instrument = refusal
        self._record(
            EntryRefused(signal_id=signal.signal_id, instrument=instrument, limit=limit, allowed=allowed, figure=figure)
        )

    def _submit(self, draft: Draft, group: PositionGroup, seen_price: float | None = None) -> None:
        assert self._wake is not None
        instrument = self.state.instruments[group.legs[draft.leg].instrument]
        attempt = sum(
            order.request.leg == draft.leg and order.request.purpose is draft.purpose
            for order in self.state.orders_of(group.group_id)
        )
        if seen_price is None and (seen := self._seen(instrument.key)) is not None:
            seen_price = seen.price
        request = request_for(draft, group, self.settings, instrument, attempt, seen_price, self._wake.time_ns)
        if request is not None:
            self._record(OrderSubmitted(request=request))
            self._effects.append(SubmitOrder(request))

    # -- what is seen

    def _seen(self, key: InstrumentKey) -> Seen | None:
        """The price to size and decide by: of a bar strategy, its bars' closes and its own fills, never a later one."""
        assert self._wake is not None
        if self.bars is None:
            return self.view.quoted(key, self._wake.time_ns)
        filled = self._wake.facts and self.view.fill_price(self._wake.facts[-1], key)
        if filled:
            return Seen(filled, 0)
        last = self.bars.last_seen(self._wake.time_ns)
        return None if last is None else Seen(last[0], self._wake.time_ns - last[1])

    def _free(self, venue: Venue, currency: Currency) -> Decimal:
        return free(self.state, venue, currency, self.settings.sizing.leverage)

    def _equity(self) -> Decimal:
        marks: dict[InstrumentKey, Decimal] = {}
        for key in self.settings.instruments:
            seen = self._seen(key)
            if seen is not None:
                marks[key] = exact_decimal(seen.price, "price")
        return self.state.book.equity_quote(marks, self.settings.currency)

    def _record(self, event: Event, due_ns: int | None = None) -> None:
        """A decision becomes a fact: folded at once, journaled with the row that woke it."""
        wake = self._wake
        assert wake is not None
        if self._row is None and wake.row is not None:
            self._row = self._own(wake.row)
        fact = Fact(event, wake.sequence, wake.time_ns, ts_decided=wake.time_ns, ts_due=due_ns, market_row=self._row)
        self.state.apply(fact)
        self._facts.append(fact)

    def _own(self, row: Any) -> bytes:
        """The row as this session would have it alone: other sessions move the numbers of instruments, not of facts."""
        one = row.copy()  # np.array(row) would share its memory, and rewrite what is recorded
        one["instrument"] = self.settings.instruments.index(self.market.registry.key(int(row["instrument"])))
        own: bytes = one.tobytes()
        return own
