"""The gate: the one place where a thing gets its number, and so its place in the one order of everything."""

from workstation.errors import BadInput
from workstation.model.events import Event, Fact
from workstation.model.market import STEP_BITS, rows_taken
from workstation.windows.tables import Table

STEPS = (1 << STEP_BITS) - 1


class Gate:
    """Numbers inputs and wakes from the counter that the compiled loop uses for rows."""

    def __init__(self, clock: Table) -> None:
        self._clock = clock

    @property
    def sequence(self) -> int:
        """The last number given."""
        return int(self._clock[0]["sequence"])

    @property
    def now_ns(self) -> int:
        """Receipt time of the last row, or input: the only time the core knows."""
        return int(self._clock[0]["ts_received"])

    def start_after(self, sequence: int, ts_received: int) -> None:
        """Goes on where an earlier run stopped."""
        self._clock["sequence"], self._clock["ts_received"] = sequence, ts_received

    def number(self) -> int:
        """The next step after the last row, taken."""
        clock = self._clock[0]
        clock["sequence"] += 1
        sequence = int(clock["sequence"])
        if not sequence & STEPS:
            raise BadInput(f"more than {STEPS} inputs and wakes after market row {rows_taken(sequence) - 1}")
        return sequence

    def admit(self, event: Event, now_ns: int, ts_event: int | None = None) -> Fact:
        """An input or report, stamped: time never goes back behind a row's."""
        clock = self._clock[0]
        if now_ns > clock["ts_received"]:
            clock["ts_received"] = now_ns
        return Fact(event, self.number(), int(clock["ts_received"]), ts_event)
