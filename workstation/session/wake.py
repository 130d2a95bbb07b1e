"""Wake: what reaches a subscriber, and why."""

from collections.abc import Hashable, Mapping
from typing import Any, Protocol

from workstation.model.events import Fact
from workstation.windows.bars import ClosedBar


class Wake:
    """One subscriber is awake at `time_ns`; `row` is valid until the next wake."""

    __slots__ = ("bar", "changes", "facts", "payload", "reasons", "row", "sequence", "subscriber", "time_ns")

    def __init__(
        self,
        subscriber: "Subscriber",
        time_ns: int,
        *,
        reasons: int,
        sequence: int = 0,
        row: Any = None,
        changes: Mapping[str, bool] | None = None,
        bar: ClosedBar | None = None,
        payload: Any = None,
        facts: tuple[Fact, ...] = (),
    ) -> None:
        self.subscriber, self.time_ns, self.reasons, self.sequence = subscriber, time_ns, reasons, sequence
        self.row, self.changes, self.bar, self.payload, self.facts = row, changes, bar, payload, facts


class Subscriber(Hashable, Protocol):
    def handle(self, wake: Wake) -> None:
        """Does what the wake asks for."""
