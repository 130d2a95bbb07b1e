"""Wake: what reaches a subscriber, and why."""

from collections.abc import Hashable, Mapping
from typing import Any, Protocol

from msgspec import Struct

from workstation.model.events import Fact
from workstation.windows.bars import ClosedBar


class Wake(Struct, eq=False):
    """One subscriber is awake at `time_ns`; `row` is valid until the next wake."""

    subscriber: "Subscriber"
    time_ns: int
    reasons: int
    sequence: int = 0
    row: Any = None
    changes: Mapping[str, bool] | None = None
    bar: ClosedBar | None = None
    payload: Any = None
    facts: tuple[Fact, ...] = ()


class Subscriber(Hashable, Protocol):
    def handle(self, wake: Wake) -> None:
        """Does what the wake asks for."""
