"""How bars are to be made: how long, of which price, by which calendar, and what becomes of empty ones."""

from dataclasses import dataclass
from enum import StrEnum

from workstation.errors import BadInput
from workstation.history.calendars import Calendar
from workstation.model.market import interval_label

LATEST_NS = 2**63 - 1


class QuotePrice(StrEnum):
    """Which price of a quote bars are made of."""

    MID = "mid"
    BID = "bid"
    ASK = "ask"


class EmptyBars(StrEnum):
    """What becomes of a bar in which nothing happened."""

    FLAT = "flat"
    """All prices are the last close, the volume is 0, and it is flagged."""
    LEFT_OUT = "left-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class BarRecipe:
    """How bars are made. `price` is of quotes alone. Raises BadInput for a span that ends before it begins."""

    interval_ns: int
    calendar: Calendar = Calendar.UTC
    empty: EmptyBars = EmptyBars.FLAT
    price: QuotePrice = QuotePrice.MID
    start_ns: int | None = None
    end_ns: int | None = None

    def __post_init__(self) -> None:
        interval_label(self.interval_ns)
        if self.start_ns is not None and self.end_ns is not None and self.start_ns >= self.end_ns:
            raise BadInput(f"bars from {self.start_ns} to {self.end_ns} ns: expected a start before the end")

    @property
    def bounds(self) -> tuple[int, int]:
        start_ns = -LATEST_NS if self.start_ns is None else self.start_ns
        return start_ns, LATEST_NS if self.end_ns is None else self.end_ns
