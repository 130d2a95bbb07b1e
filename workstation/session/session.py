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
    OrderFilled,
    OrderSubmitted,
    OrderTriggered,
    SessionHalted,
    SessionStopped,
    SignalGenerated,
)
from workstation.model.group import GroupStatus, Leg, PositionGroup
from workstation.model.ids import GroupId, SignalId
from workstation.model.instrument import InstrumentKey
from workstation.model.market import Rows
from workstation.model.order import OrderPurpose, OrderType
from workstation.model.signal import Signal, SignalAction, SignalLeg
from workstation.model.units import Side, exact_decimal
from workstation.ports.broker import CancelOrder, Effect, SubmitOrder
from workstation.session.bar_signals import BarDecision, BarSignals, leaves
from workstation.session.entries import Seen, plan_entry, request_for
from workstation.session.market import Market
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

MISSED_EXIT = "exit signal while it was down"

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
            self._take(fact)
        if wake.changes:
            self._record(ConditionsChanged(changes=tuple(wake.changes.items())))
        try:
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

    # -- book and orders

    def _take(self, fact: Fact) -> None:
        self.state.apply(fact)
        self._facts.append(fact)
        if isinstance(fact.event, SessionStopped) and fact.event.flatten:
            for group in list(self.state.groups.values()):
                self._change(group, GroupStatus.CLOSING, f"stopped by {fact.event.by}")

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
                return [] if is_muted else self._missed_exits()
            if wake.bar is not None and self.bars is not None:
                decision = self.bars.take(wake.bar, is_muted=is_muted)
                self._sleep()
                return [] if decision is None else self._bar_intents(decision)
            if isinstance(self.strategy, TickStrategy) and not is_muted:
                return [
                    checked_intent(intent, self.settings.instruments)
                    for intent in self.strategy.on_wake(wake.changes or {}, self.view)
                ]
        except Exception as error:  # noqa: BLE001
            self.halt(f"strategy {self.settings.strategy}: {type(error).__name__}: {error}")
        return []

    def _bar_intents(self, decision: BarDecision) -> list[Intent]:
        if decision.entry:
            leg = SignalLeg(self.settings.instruments[0], Side(decision.entry))
            return [
                Intent(
                    action=SignalAction.ENTER,
                    legs=(leg,),
                    stop_distance=decision.stop_distance,
                    target_distance=decision.target_distance,
                )
            ]
        sides = ((Side.BUY, decision.exit_long), (Side.SELL, decision.exit_short))
        return [Intent(action=SignalAction.EXIT, exit_side=side) for side, leaves in sides if leaves]

    def _missed_exits(self) -> list[Intent]:
        """Exits that were spoken while nobody listened; one interval before that too, as its bar may have come late."""
        assert self.bars is not None and self.settings.interval_ns is not None
        exits = []
        for group in self.state.groups.values():
            # of a group that is being turned round, what counts is where it goes
            leg = group.legs[0] if group.next_signal is None else group.next_signal.legs[0]
            missed = self.bars.missed(max(self._known_ns - self.settings.interval_ns, group.opened_ns))
            if any(leaves(decision, leg.side) for decision in missed):
                exits.append(Intent(action=SignalAction.EXIT, exit_side=leg.side, reason=MISSED_EXIT))
        return exits

    # -- groups

    def _on_intent(self, intent: Intent) -> None:
        """An intent that changes something becomes a signal; one that finds things as it wants them leaves no trace."""
        groups = list(self.state.groups.values())
        if intent.action is SignalAction.EXIT:
            leaving = [g for g in groups if _is_left_by(g, intent.exit_side)]
            if leaving:
                self._generate(intent)
            for group in leaving:
                self._change(group, GroupStatus.CLOSING, intent.reason or "exit signal")
            return
        if any(g.status is not GroupStatus.CLOSING and _sides(g.legs) == _sides(intent.legs) for g in groups):
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
        return None if state.halted is None else Refusal("halted", "no entries", state.halted)

    def _open(self, signal: Signal) -> None:
        assert self._wake is not None
        planned = self._no_entries() or plan_entry(
            signal,
            self.settings,
            self.state.instruments,
            self._seen,
            self._equity(),
            self.state.book.available,
            len(self.state.groups),
            self._wake.time_ns,
        )
        if isinstance(planned, Refusal):
            self._refuse(signal, planned)
            return
        self._record(GroupOpened(group=planned), due_ns=planned.due_ns)
        if planned.due_ns is not None:
            assert self._wake.subscriber is not None
            self.market.at(planned.due_ns, self._wake.subscriber)
        for index, leg in enumerate(planned.legs):
            self._submit(
                Draft(
                    leg=index, purpose=OrderPurpose.ENTRY, side=leg.side, type=OrderType.MARKET, quantity=leg.quantity
                ),
                planned,
            )

    def _refuse(self, signal: Signal, refusal: Refusal) -> None:
        limit, allowed, figure, instrument = refusal
        self._record(
            EntryRefused(signal_id=signal.signal_id, instrument=instrument, limit=limit, allowed=allowed, figure=figure)
        )

    def _submit(self, draft: Draft, group: PositionGroup) -> None:
        assert self._wake is not None
        instrument = self.state.instruments[group.legs[draft.leg].instrument]
        attempt = sum(
            order.request.leg == draft.leg and order.request.purpose is draft.purpose
            for order in self.state.orders_of(group.group_id)
        )
        seen = self._seen(instrument.key)
        request = request_for(
            draft, group, self.settings, instrument, attempt, None if seen is None else seen.price, self._wake.time_ns
        )
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


def _sides(legs: Iterable[SignalLeg | Leg]) -> list[tuple[InstrumentKey, Side]]:
    return [(leg.instrument, leg.side) for leg in legs]


def _is_left_by(group: PositionGroup, side: Side | None) -> bool:
    """Whether an exit of `side` (None: any) ends the group, or the entry that waits for its end."""
    if group.status is not GroupStatus.CLOSING:
        return side in (None, group.legs[0].side)
    return group.next_signal is not None and side in (None, group.next_signal.legs[0].side)
