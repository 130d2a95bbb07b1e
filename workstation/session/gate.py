"""The gate: gives every thing its number, and so its place in the one order.

Market rows are counted once, for all. What happens behind a row is counted by each session for itself (`Steps`): two
sessions share rows and nothing else, so neither moves the other's numbers.
"""

from collections import deque

from workstation.errors import BadInput
from workstation.model.events import Event, Fact
from workstation.model.market import STEP_BITS, rows_taken
from workstation.windows.tables import Table

MOST_STEPS = (1 << STEP_BITS) - 1


class Gate:
    """Rows and time, by the clock that the compiled loop uses."""

    def __init__(self, clock: Table) -> None:
        # one-element views: an item of an array costs a third of a record's
        self._clock, self._ts_received = clock["sequence"], clock["ts_received"]
        self._keeps_numbers = clock["keeps_numbers"]

    @property
    def sequence(self) -> int:
        """The number of the last market row."""
        return int(self._clock.item(0))

    @property
    def now_ns(self) -> int:
        """Receipt time of the last row, or input: the only time the core knows."""
        return int(self._ts_received.item(0))

    def start_after(self, sequence: int, ts_received: int) -> None:
        """Goes on behind the market row of `sequence`, taken by an earlier run; never back."""
        self._clock[0] = max(self.sequence, sequence >> STEP_BITS << STEP_BITS)
        self.reach(ts_received)

    def keep_numbers(self) -> None:
        """Rows come from a recording, each with the number that it had."""
        self._keeps_numbers[0] = 1

    def take_again(self, rows: int) -> None:
        """The next market row is the one behind `rows` rows, taken before; steps behind it go on and do not repeat."""
        self._clock[0] = rows << STEP_BITS

    def reach(self, now_ns: int) -> None:
        """Time goes on to `now_ns`; it never goes back."""
        if now_ns > self._ts_received.item(0):
            self._ts_received[0] = now_ns


class Steps:
    """Numbers one session's inputs, reports and wakes behind the last market row: 1, 2, 3 …"""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._given = 0
        self.expected: deque[Fact] = deque()
        """Inputs and results of a recording, each to be delivered at its own number (mode verify)."""

    @property
    def sequence(self) -> int:
        """The last number given, to a row or to anything of this session's."""
        return max(self._gate.sequence, self._given)

    @property
    def is_expected_next(self) -> bool:
        """The next thing of the recording stands just behind the last number."""
        return bool(self.expected) and self.expected[0].sequence == self.sequence + 1

    def start_after(self, sequence: int) -> None:
        """Goes on where an earlier run, or a recording, stands."""
        self._given = sequence

    def number(self) -> int:
        """The next number, taken."""
        sequence = self.sequence + 1
        if not sequence & MOST_STEPS:
            raise BadInput(f"more than {MOST_STEPS} inputs and wakes after market row {rows_taken(sequence) - 1}")
        self._given = sequence
        return sequence

    def admit(self, event: Event, now_ns: int, ts_event: int | None = None) -> Fact:
        """An input or report, stamped."""
        self._gate.reach(now_ns)
        return Fact(event, self.number(), self._gate.now_ns, ts_event)

    def deliver(self) -> Fact:
        """The next thing of the recording, at its own number and time."""
        fact = self.expected.popleft()
        self.start_after(fact.sequence)
        self._gate.reach(fact.ts_received)
        return fact
