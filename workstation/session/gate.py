"""The gate: the one place where a thing gets its number, and so its place in the one order of everything."""

from workstation.errors import BadInput
from workstation.model.events import Event, Fact
from workstation.model.market import STEP_BITS, rows_taken
from workstation.windows.tables import Table

STEPS = (1 << STEP_BITS) - 1


class Gate:
    """Numbers inputs and wakes from the counter that the compiled loop uses for rows."""

    def __init__(self, clock: Table) -> None:
        # one-element views: an item of an array costs a third of a record's
        self._clock, self._ts_received = clock["sequence"], clock["ts_received"]
        self._given = 0

    @property
    def sequence(self) -> int:
        """The last number given, to a row or to anything else."""
        return max(int(self._clock[0]), self._given)

    @property
    def now_ns(self) -> int:
        """Receipt time of the last row, or input: the only time the core knows."""
        return int(self._ts_received[0])

    def start_after(self, sequence: int, ts_received: int) -> None:
        """Goes on where an earlier run stopped."""
        self._clock[0], self._ts_received[0] = sequence, ts_received
        self._given = sequence

    def take_again(self, rows: int) -> None:
        """The next market row is the one behind `rows` rows, taken before; steps behind it go on and do not repeat."""
        self._clock[0] = rows << STEP_BITS

    def number(self) -> int:
        """The next step after the last row, taken."""
        sequence = max(int(self._clock[0]), self._given) + 1
        if not sequence & STEPS:
            raise BadInput(f"more than {STEPS} inputs and wakes after market row {rows_taken(sequence) - 1}")
        self._given = sequence
        return sequence

    def reach(self, now_ns: int) -> None:
        """Time goes on to `now_ns`; it never goes back."""
        if now_ns > self._ts_received[0]:
            self._ts_received[0] = now_ns

    def admit(self, event: Event, now_ns: int, ts_event: int | None = None) -> Fact:
        """An input or report, stamped."""
        self.reach(now_ns)
        return Fact(event, self.number(), self.now_ns, ts_event)
