"""What is recorded of a pair: the window's series of the last hours, read aside."""

import math
from decimal import Decimal
from pathlib import Path

import numpy as np

from workstation.charts.spread import spread_columns
from workstation.client.messages import InstrumentView
from workstation.dashboard.opportunity_log import WAYS, Opportunity
from workstation.dashboard.spread_points import DECIMALS, STEP_MS, Point
from workstation.errors import HistoryMissing
from workstation.history.market_rows import Span
from workstation.history.store import HistoryStore
from workstation.model.durations import MS_NS
from workstation.model.ids import Currency, Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKind
from workstation.model.sides import Sides, named_key
from workstation.research.spread_opportunities import opportunity_rows
from workstation.research.spread_series import spread_series
from workstation.windows.opportunities import OpportunitySpec
from workstation.windows.specs import WindowKind, WindowSpec

RECORDED = ("way", "opened_ns", "closed_ns", "peak_bps", "quantity", "left_bps")


def pair_window(sides: Sides) -> WindowSpec:
    """The one that the engine shows: with the defaults of WindowSpec."""
    return WindowSpec(kind=WindowKind.SPREAD, instrument_a=sides.a, instrument_b=sides.b, basis=sides.basis)


STALE_MS = pair_window(Sides(*map(named_key, ("a:A/B", "b:A/B")))).stale_after_ns // MS_NS
"""So old a quote is no price any more."""


def recorded_points(root: Path, window: WindowSpec, rules: list[InstrumentView], start_ns: int) -> list[Point]:
    """One a second since then, the oldest first; none where nothing is recorded. By the fees that the engine tells now.

    Raises BadInput, HistoryCorrupt.
    """
    known = [instrument_of(one) for one in rules]
    try:
        frame = spread_series(
            HistoryStore(root), window, Span(start_ns=start_ns), every_ns=STEP_MS * MS_NS, rules=known
        )
    except HistoryMissing:
        return []
    columns = spread_columns(frame)
    t = columns["t"].astype(np.int64).tolist()
    rest = [np.round(columns[name], DECIMALS).tolist() for name in Point._fields[1:]]
    return [Point(*row) for row in zip(t, *rest, strict=True)]


def recorded_opportunities(
    root: Path, window: WindowSpec, wanted: OpportunitySpec, rules: list[InstrumentView], start_ns: int
) -> list[Opportunity]:
    """Those that closed since then, as the engine would have found them. Raises BadInput, HistoryCorrupt."""
    known = [instrument_of(one) for one in rules]
    try:
        rows = opportunity_rows(HistoryStore(root), window, wanted, Span(start_ns=start_ns), known)
    except HistoryMissing:
        return []
    closed = np.sort(rows[rows["closed_ns"] > 0], order="closed_ns")
    told = zip(*(closed[name].tolist() for name in RECORDED), strict=True)
    return [
        Opportunity(WAYS[way], opened, ended, peak, quantity, None if math.isnan(left) else left)
        for way, opened, ended, peak, quantity, left in told
    ]


def instrument_of(view: InstrumentView) -> Instrument:
    return Instrument(
        venue=Venue(view.venue),
        symbol=Symbol(view.symbol),
        kind=InstrumentKind(view.kind),
        base=Currency(view.base),
        quote=Currency(view.quote),
        tick_size=view.tick_size,
        lot_size=view.lot_size,
        min_quantity=view.min_quantity,
        min_notional_quote=view.min_notional,
        contract_size=view.contract_size,
        maker_fee_rate=view.maker_fee_rate,
        taker_fee_rate=view.taker_fee_rate,
    )


def bps_of(fee_rate: Decimal) -> float:
    return float(fee_rate * 10_000)
