"""Opportunities as they are kept: one row each, once it has closed, with what counted as one when it was found."""

import math
from collections.abc import Iterable

import msgspec
import pyarrow as pa

from workstation.errors import BadInput
from workstation.history.layout import HistoryKind, Series
from workstation.history.pairs import pair_key
from workstation.history.segments import SCHEMAS, Table
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey


class KeptOpportunity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A span in which selling at one side and buying at the other would have paid; times in ns UTC, by receipt.

    `left_bps` is the net edge that a late order found, None where nobody knows. The last five fields say by what it was
    found, as in `windows.opportunities.OpportunitySpec`; `basis` turned B's prices into A's currency.
    """

    sold: tuple[str, str]
    """Venue and symbol."""
    bought: tuple[str, str]
    opened_ns: int
    closed_ns: int
    peak_ns: int
    peak_bps: float
    quantity: float
    left_bps: float | None = None
    least_bps: float
    least_value: float
    least_ns: int
    latency_ns: int
    basis: str | None = None

    @property
    def series(self) -> Series:
        """Of both ways: the sides by their names."""
        a, b = sorted(InstrumentKey(Venue(venue), Symbol(symbol)) for venue, symbol in (self.sold, self.bought))
        return Series(kind=HistoryKind.OPPORTUNITIES, key=pair_key(a, b))


def kept_fault(one: KeptOpportunity) -> str | None:
    """Why it cannot be kept: sides of which no series can be, or a figure that JSON has no word for."""
    try:
        series = one.series
    except BadInput as error:
        return str(error)
    for name in _FIGURES:
        value = getattr(one, name)
        if value is not None and not math.isfinite(value):
            return f"{series.key}: {name} {value}: expected a finite number"
    return None


def opportunity_tables(kept: Iterable[KeptOpportunity]) -> dict[Series, Table]:
    """By series, each in the order of the closings."""
    of: dict[Series, list[KeptOpportunity]] = {}
    for one in kept:
        of.setdefault(one.series, []).append(one)
    return {series: _table(sorted(found, key=lambda one: one.closed_ns)) for series, found in of.items()}


def opportunities_in(series: Series, table: Table) -> list[KeptOpportunity]:
    """The other way round."""
    a, b = series.sides
    named = {_side(one, a, b): (str(one.venue), str(one.symbol)) for one in (a, b)}
    return [
        KeptOpportunity(
            sold=named[row["sell_at"]],
            bought=named[row["buy_at"]],
            opened_ns=row["ts_opened"],
            closed_ns=row["ts_closed"],
            peak_ns=row["ts_peak"],
            **{name: row[name] for name in _SAME},
        )
        for row in table.to_pylist()
    ]


_FIGURES = ("peak_bps", "quantity", "left_bps", "least_bps", "least_value")
_SAME = ("peak_bps", "quantity", "left_bps", "least_bps", "least_value", "least_ns", "latency_ns", "basis")


def _table(found: list[KeptOpportunity]) -> Table:
    a, b = found[0].series.sides
    columns = {
        "ts_closed": [one.closed_ns for one in found],
        "ts_opened": [one.opened_ns for one in found],
        "ts_peak": [one.peak_ns for one in found],
        "sell_at": [_side(_key(one.sold), a, b) for one in found],
        "buy_at": [_side(_key(one.bought), a, b) for one in found],
        **{name: [getattr(one, name) for one in found] for name in _SAME},
    }
    schema = SCHEMAS[HistoryKind.OPPORTUNITIES]
    return pa.table([pa.array(columns[field.name], field.type) for field in schema], schema=schema)


def _key(side: tuple[str, str]) -> InstrumentKey:
    return InstrumentKey(Venue(side[0]), Symbol(side[1]))


def _side(one: InstrumentKey, a: InstrumentKey, b: InstrumentKey) -> str:
    """By its venue; where both are of one venue, by the symbol too."""
    return str(one) if a.venue == b.venue else str(one.venue)
