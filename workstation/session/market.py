"""Market: shared windows, deadlines and subscriptions of one engine or one replay; rows in, wakes out."""

import heapq
from collections.abc import Iterable, Iterator
from typing import Any

from workstation.errors import RowsOutOfOrder
from workstation.model.events import Fact
from workstation.model.ids import InstrumentIndex, SlotIndex
from workstation.model.instrument import Instrument, InstrumentKey, Registry
from workstation.model.market import INTERVALS_NS, Rows, interval_code, rows_taken
from workstation.session.gate import Gate, Steps
from workstation.session.shared_windows import SharedWindows
from workstation.session.wake import Subscriber, Wake
from workstation.trading.paper import Levels
from workstation.windows.advance import (
    BAR_CLOSED,
    BAR_DUE,
    CONDITION,
    DEADLINE,
    DISORDER,
    EVERY_ROW,
    INPUT,
    PRICE,
    advance_rows,
)
from workstation.windows.bars import ClosedBar, close_due_bars
from workstation.windows.specs import ConditionSpec, WindowKind, WindowSpec
from workstation.windows.tables import NEVER, ON_BARS, ON_BOTH, ON_TICKS, Tables


class Market:
    """Owns registry, tables, gate and deadlines. Subscribers are called in the order of their subscription."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.tables = Tables()
        self.windows = SharedWindows(self.registry, self.tables)
        self.gate = Gate(self.tables.clock)
        self._steps: dict[Subscriber, Steps] = {}
        self._expecting: dict[Subscriber, Steps] = {}
        self._deadlines: list[tuple[int, int, Subscriber, Any]] = []
        self._ordinal = 0
        self._subscribers: list[Subscriber] = []
        self._condition_names: list[str] = []
        self._bar_subscribers: dict[tuple[int, int], dict[Subscriber, int]] = {}
        """Each with the end before which no bar wakes it."""
        self._slot_bar_subscribers: dict[SlotIndex | None, list[Subscriber]] = {}
        self._price_subscribers: dict[int, dict[Subscriber, int]] = {}
        """Each with the rows that it tests its levels on."""
        self._levels: dict[int, dict[Subscriber, Levels]] = {}
        self._row_subscribers: dict[int, list[Subscriber]] = {}

    # -- numbers

    def steps_of(self, subscriber: Subscriber) -> Steps:
        """What numbers the subscriber's inputs, reports and wakes."""
        steps = self._steps.get(subscriber)
        if steps is None:
            steps = self._steps[subscriber] = Steps(self.gate)
        return steps

    def start_after(self, subscriber: Subscriber, sequence: int, ts_received: int) -> None:
        """The subscriber's session goes on where an earlier run of it stopped."""
        self.gate.start_after(sequence, ts_received)
        self.steps_of(subscriber).start_after(sequence)

    def expect(self, subscriber: Subscriber, facts: Iterable[Fact]) -> None:
        """The inputs and results of a recording will reach the subscriber, each at its own number (mode verify)."""
        steps = self.steps_of(subscriber)
        steps.expected.extend(facts)
        if steps.expected:
            self._expecting[subscriber] = steps

    # -- what may be subscribed to, between batches or while awake

    def list_instrument(self, instrument: Instrument) -> InstrumentIndex:
        index = self.registry.add(instrument)
        while len(self.tables.instruments) <= index:
            self.tables.add_instrument()
        return index

    def subscribe_window(self, spec: WindowSpec) -> SlotIndex:
        """The window's slot; equal specs share one, by count."""
        return self.windows.take(spec)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Wakes it no more, whatever it waited for; its windows are its own business (`windows.release`)."""
        if subscriber in self._subscribers:
            self.tables.drop_conditions(self._subscribers.index(subscriber))
        for key, waiting in list(self._bar_subscribers.items()):
            if waiting.pop(subscriber, None) is not None and not waiting:
                del self._bar_subscribers[key]
                self.tables.instruments["bar_wake"][key[0]] &= ~(1 << key[1])
        self._test_bars_again()
        for lists in (self._slot_bar_subscribers, self._row_subscribers):
            for waiting_here in lists.values():
                if subscriber in waiting_here:
                    waiting_here.remove(subscriber)
        for index, still in self._row_subscribers.items():
            self.tables.instruments["every_row"][index] = bool(still)
        for index, tested_on in self._price_subscribers.items():
            tested_on.pop(subscriber, None)
            self._test_levels_on(index, tested_on.values())
        for index in [index for index, levels in self._levels.items() if subscriber in levels]:
            self.wait_for(subscriber, index, Levels())
            del self._levels[index][subscriber]
        self._deadlines[:] = [deadline for deadline in self._deadlines if deadline[2] is not subscriber]
        heapq.heapify(self._deadlines)
        self._steps.pop(subscriber, None)
        self._expecting.pop(subscriber, None)

    @property
    def next_due_ns(self) -> int | None:
        """When time alone wakes somebody next; None: never."""
        due = min(self._deadlines[0][0] if self._deadlines else NEVER, int(self.tables.clock[0]["bar_due"]))
        return None if due == NEVER else due

    def subscribe_condition(
        self, subscriber: Subscriber, spec: ConditionSpec, slot: SlotIndex, *, is_true: bool = False
    ) -> None:
        """Wakes `subscriber` when the condition's truth changes from what it is now."""
        if subscriber not in self._subscribers:
            self._subscribers.append(subscriber)
        self._condition_names.append(spec.name)
        self.tables.add_condition(
            slot=slot,
            field=spec.field,
            operator=spec.operator,
            threshold=spec.threshold,
            rearm=spec.threshold if spec.rearm is None else spec.rearm,
            subscriber=self._subscribers.index(subscriber),
            is_true=is_true,
        )

    def subscribe_bars(self, subscriber: Subscriber, key: InstrumentKey, interval_ns: int) -> None:
        """Wakes `subscriber` at each closed bar that the venue sends."""
        index, code = self.registry.index(key), interval_code(interval_ns)
        self.tables.instruments["bar_wake"][index] |= 1 << code
        self._let_bars_pass(subscriber, index, code, 0)

    def let_bars_pass(self, subscriber: Subscriber, key: InstrumentKey, interval_ns: int, until_ns: int | None) -> None:
        """The venue's bars that end before `until_ns` do not wake the subscriber; None: all wake it."""
        index, code = self.registry.index(key), interval_code(interval_ns)
        self._let_bars_pass(subscriber, index, code, 0 if until_ns is None else until_ns)

    def _let_bars_pass(self, subscriber: Subscriber, index: int, code: int, until_ns: int) -> None:
        self._bar_subscribers.setdefault((index, code), {})[subscriber] = until_ns
        self._test_bars_again()

    def _test_bars_again(self) -> None:
        """Of each instrument, from when on bars wake somebody."""
        until: dict[int, int] = {}
        for (index, _), waiting in self._bar_subscribers.items():
            until[index] = min(until.get(index, NEVER), *waiting.values(), NEVER)
        for index, until_ns in until.items():
            self.tables.instruments["bars_pass_until"][index] = until_ns

    def subscribe_trade_bars(self, subscriber: Subscriber, key: InstrumentKey, interval_ns: int) -> None:
        """Wakes `subscriber` at the end of each bar built from the venue's trades."""
        spec = WindowSpec(
            kind=WindowKind.TRADE_BARS,
            instrument_a=key,
            span_ns=interval_ns,
            resolution_ns=interval_ns,
            anchor_ns=interval_ns,
        )
        self._slot_bar_subscribers.setdefault(self.subscribe_window(spec), []).append(subscriber)

    def subscribe_every_row(self, subscriber: Subscriber, key: InstrumentKey) -> None:
        index = self.registry.index(key)
        self._row_subscribers.setdefault(index, []).append(subscriber)
        self.tables.instruments["every_row"][index] = 1

    def subscribe_price(self, subscriber: Subscriber, key: InstrumentKey, *, waits_on_bars: bool) -> None:
        """Wakes `subscriber` when a level is reached that anybody has set by `wait_for`, on bars or on ticks."""
        index = self.registry.index(key)
        tested_on = self._price_subscribers.setdefault(index, {})
        tested_on[subscriber] = ON_BARS if waits_on_bars else ON_TICKS
        self._test_levels_on(index, tested_on.values())

    def _test_levels_on(self, index: int, wanted: Iterable[int]) -> None:
        kinds = set(wanted)
        self.tables.instruments["waits_on"][index] = ON_BOTH if len(kinds) > 1 else kinds.pop() if kinds else ON_TICKS

    def wait_for(self, subscriber: Subscriber, index: int, levels: Levels) -> None:
        """Sets one subscriber's levels on an instrument; the nearest of all subscribers' are tested."""
        mine = self._levels.setdefault(index, {})
        mine[subscriber] = levels
        row = self.tables.instruments[index]
        row["buy_touch"] = max(one.buy_touch for one in mine.values())
        row["sell_touch"] = min(one.sell_touch for one in mine.values())
        row["rise"] = min(one.rise for one in mine.values())
        row["fall"] = max(one.fall for one in mine.values())

    def at(self, due_ns: int, subscriber: Subscriber, payload: Any = None) -> None:
        """A deadline: `subscriber` is woken at `due_ns`, before the first row at or past it.

        One without payload is the session's own and takes a number; one with a payload is the paper venue's, whose
        reports take theirs.
        """
        self._ordinal += 1
        heapq.heappush(self._deadlines, (due_ns, self._ordinal, subscriber, payload))

    # -- the walk

    def advance(self, rows: Rows) -> Iterator[Wake]:
        """Takes all rows, stopping for each wake. Raises RowsOutOfOrder, with the rows before it taken."""
        position, count, deadlines, expecting = 0, len(rows), self._deadlines, self._expecting
        while True:
            due = deadlines[0][0] if deadlines else NEVER
            stop = min(steps.expected[0].sequence for steps in expecting.values()) if expecting else NEVER
            position, reasons = advance_rows(rows, position, count, due, stop, *self.tables.arrays())
            if not reasons:
                return
            if reasons < DEADLINE:
                yield from self._row_wakes(rows[position - 1], reasons)
            elif reasons == DISORDER:
                raise RowsOutOfOrder(
                    f"row {position}: ts_received {rows[position]['ts_received']} lies before {self.gate.now_ns}: "
                    "expected rows in the order of receipt"
                )
            elif reasons == INPUT:
                yield self.next_expected(min(expecting, key=lambda one: _place(expecting[one].expected[0])))
            else:
                yield from self._due_or_expected(reasons)

    def advance_again(self, row: Rows) -> Iterator[Wake]:
        """Takes one row that an earlier run had taken. What is due by its time and waits comes behind it: had it been
        due before, it would have run."""
        waiting, self._deadlines = self._deadlines, []
        yield from self.advance(row)
        self._deadlines += waiting
        heapq.heapify(self._deadlines)

    def advance_time(self, now_ns: int) -> Iterator[Wake]:
        """Runs what is due at or before `now_ns` without a row: before an input, and at the end of history."""
        while True:
            due = self._deadlines[0][0] if self._deadlines else NEVER
            bar_due = int(self.tables.clock[0]["bar_due"])
            if min(due, bar_due) <= now_ns:
                yield from self._due_or_expected(BAR_DUE if bar_due <= due else DEADLINE)
            else:
                subscriber = self._expected_by(NEVER)
                if subscriber is None:
                    return
                yield self.next_expected(subscriber)

    def _row_wakes(self, row: Any, reasons: int) -> Iterator[Wake]:
        # one call for all fields: each one alone costs as much
        _, time_ns, ts_event, index, _, _, code, x0, x1, x2, x3, x4 = row.item()
        changes = self._changes() if reasons & CONDITION else None
        wakes: list[Wake] = []
        if reasons & PRICE:
            for subscriber in self._price_subscribers.get(index, ()):
                yield Wake(subscriber, time_ns, row=row, reasons=PRICE)
        if reasons & BAR_CLOSED:
            length = INTERVALS_NS[code]
            bar = ClosedBar(index, length, ts_event - length, x0, x1, x2, x3, x4)
            for subscriber, passes_until in self._bar_subscribers[index, code].items():
                if ts_event >= passes_until:
                    wakes.append(Wake(subscriber, time_ns, row=row, reasons=BAR_CLOSED, bar=bar))
        if changes:
            for subscriber, changed in changes.items():
                wakes.append(Wake(subscriber, time_ns, row=row, reasons=CONDITION, changes=changed))
        if reasons & EVERY_ROW:
            told = changes or {}
            wakes += [
                Wake(subscriber, time_ns, row=row, reasons=EVERY_ROW)
                for subscriber in self._row_subscribers.get(index, ())
                if subscriber not in told
            ]
        for wake in wakes:
            steps = self.steps_of(wake.subscriber)
            while steps.expected and steps.is_expected_next:
                yield self.next_expected(wake.subscriber)
            wake.sequence = steps.number()
            yield wake

    def _changes(self) -> dict[Subscriber, dict[str, bool]]:
        found: dict[Subscriber, dict[str, bool]] = {}
        tables = self.tables
        owners, truths = tables.conditions["subscriber"], tables.conditions["is_true"]
        # in the order of declaration, whatever other windows there are
        for index in sorted(tables.changes[: tables.clock["changes"].item(0)].tolist()):
            subscriber = self._subscribers[owners.item(index)]
            found.setdefault(subscriber, {})[self._condition_names[index]] = bool(truths.item(index))
        return found

    def _due_wakes(self, reasons: int) -> Iterator[Wake]:
        if reasons == BAR_DUE:
            due = int(self.tables.clock[0]["bar_due"])
            self.gate.reach(due)
            for bar in close_due_bars(self.tables, due):
                for subscriber in self._slot_bar_subscribers.get(bar.slot, ()):
                    yield from self._numbered(Wake(subscriber, due, reasons=BAR_CLOSED, bar=bar))
            return
        due, _, subscriber, payload = heapq.heappop(self._deadlines)
        self.gate.reach(due)
        wake = Wake(subscriber, self.gate.now_ns, reasons=DEADLINE, payload=payload)
        if payload is None:
            yield from self._numbered(wake)
        else:
            yield wake

    def _numbered(self, wake: Wake) -> Iterator[Wake]:
        """The wake with its own number, after what its subscriber's recording has before it."""
        steps = self.steps_of(wake.subscriber)
        while steps.is_expected_next:
            yield self.next_expected(wake.subscriber)
        wake.sequence = steps.number()
        yield wake

    def _due_or_expected(self, reasons: int) -> Iterator[Wake]:
        """What is due next: of recordings, or by a deadline or a bar's end."""
        due = int(self.tables.clock[0]["bar_due"]) if reasons == BAR_DUE else self._deadlines[0][0]
        subscriber = self._expected_by(due) if self._expecting else None
        if subscriber is None:
            yield from self._due_wakes(reasons)
        else:
            yield self.next_expected(subscriber)

    def _expected_by(self, due_ns: int) -> Subscriber | None:
        """Whose recording goes on at its subscriber's very next number, at or before `due_ns`."""
        for subscriber, steps in self._expecting.items():
            if steps.is_expected_next and steps.expected[0].ts_received <= due_ns:
                return subscriber
        return None

    def next_expected(self, subscriber: Subscriber) -> Wake:
        """What comes next of the subscriber's recording, at its own number."""
        steps = self._expecting[subscriber]
        fact = steps.deliver()
        if not steps.expected:
            del self._expecting[subscriber]
        return Wake(subscriber, fact.ts_received, reasons=INPUT, sequence=fact.sequence, facts=(fact,))


def _place(fact: Fact) -> tuple[int, int]:
    """Where a recorded thing stands among those of several recordings."""
    return rows_taken(fact.sequence), fact.ts_received
