"""`ws.spreads`, `ws.opportunities` and `ws.pairs`: two venues' stored quotes beside one another, in plain words.

spreads = ws.spreads("nova", "orion", "BTC/USDT:USDT", start="2024-05-01")
ws.opportunities("nova", "orion", "BTC/USDT:USDT", start="2024-05-01", least_bps=2.0)
"""

import pandas as pd

from workstation.config.words import duration_of, milliseconds_of, number_of
from workstation.errors import BadInput
from workstation.history.blocks import Selection
from workstation.history.layout import HistoryKind
from workstation.history.market_rows import Span
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, MINUTE_NS, MS_NS, SECOND_NS
from workstation.model.sides import Sides
from workstation.research.choices import When, require_received, span_of
from workstation.research.notebook import Source, open_history
from workstation.research.pair_keeping import keep_opportunities, keep_spreads
from workstation.research.pair_series import pair_series
from workstation.research.spread_opportunities import opportunity_frame, opportunity_rows
from workstation.research.spread_series import spread_series
from workstation.research.spread_sides import sides_of
from workstation.windows.opportunities import OpportunitySpec
from workstation.windows.specs import WindowKind, WindowSpec

__all__ = ["opportunities", "pairs", "spreads"]
POINT_NS = 100 * MS_NS
LONGEST_NS = 31 * DAY_NS
"""Of a window: 27 million points, 430 MB."""
"""A window's point, as WindowSpec has it by default."""
WANTED = OpportunitySpec()


def spreads(
    venue_a: str,
    venue_b: str,
    symbol: str,
    *,
    symbol_b: str | None = None,
    basis: str | None = None,
    start: When | None = None,
    end: When | None = None,
    window_minutes: float = 30.0,
    min_points: int = 30,
    stale_after_seconds: float = 10.0,
    band_deviations: float = 2.0,
    quantiles: tuple[float, float] | None = None,
    resolution_ms: int = 1_000,
    keep: bool = False,
    history: Source = None,
) -> pd.DataFrame:
    """Spread, mean, band, z and edges in bps by receipt (UTC), at most one row per `resolution_ms`.

    The figures are those that the engine shows of the same quotes: by default its own window, of 30 minutes. NaN is a
    gap, or a window that is not warm yet. `quantiles`, such as (0.05, 0.95), are bands where the tails are not those of
    a normal.

    Where B quotes another currency, `symbol_b` names its symbol, and `basis` the stored instrument that turns it into
    A's: ws.spreads("nova", "orion", "BTC/USDT", symbol_b="BTC/USDC", basis="nova:USDC/USDT"). One dollar coin is never
    taken for another. With `keep` the rows are put into the history, where ws.history(("nova", "orion"), symbol,
    "spreads") finds them. Raises BadInput, HistoryMissing, HistoryCorrupt.
    """
    span, store = span_of(start, end), open_history(history)
    window = spread_window(
        store, span, sides_of(venue_a, venue_b, symbol, symbol_b, basis), window_minutes, stale_after_seconds,
        min_points=_whole("min_points", min_points), quantiles=_quantiles(quantiles),
        band_deviations=number_of("band_deviations", band_deviations),
    )  # fmt: skip
    every_ns = milliseconds_of("resolution_ms", resolution_ms) * MS_NS
    frame = spread_series(store, window, span, every_ns=every_ns)
    if keep:
        keep_spreads(store, window, span, frame, every_ns)
    return frame


def opportunities(
    venue_a: str,
    venue_b: str,
    symbol: str,
    *,
    symbol_b: str | None = None,
    basis: str | None = None,
    start: When | None = None,
    end: When | None = None,
    least_bps: float = WANTED.least_bps,
    least_value: float = WANTED.least_value,
    least_ms: int = WANTED.least_ns // MS_NS,
    latency_ms: int = WANTED.latency_ns // MS_NS,
    stale_after_seconds: float = 10.0,
    keep: bool = False,
    history: Source = None,
) -> pd.DataFrame:
    """When buying at one venue and selling at the other would have paid, both taker fees taken off: on every quote.

    One row for each span of at least `least_ms` in which the net edge was `least_bps` or more, for quantities on both
    sides worth `least_value` in the quote currency: way ("ab": sell A, buy B), opened, closed, peak_at, seconds,
    peak_bps, quantity (base, at the peak), and left_bps: what an order found that arrived `latency_ms` after it had
    opened. With `keep` those that closed are put into the history, beside those that an engine found live: what both
    found alike is there once. Raises BadInput, HistoryMissing, HistoryCorrupt.
    """
    span, store = span_of(start, end), open_history(history)
    # the statistics of the window are not asked for, and a minute of it warms up quickly
    window = spread_window(store, span, sides_of(venue_a, venue_b, symbol, symbol_b, basis), 1.0, stale_after_seconds)
    wanted = OpportunitySpec(
        least_bps=number_of("least_bps", least_bps),
        least_value=number_of("least_value", least_value),
        least_ns=milliseconds_of("least_ms", least_ms) * MS_NS,
        latency_ns=milliseconds_of("latency_ms", latency_ms) * MS_NS,
    )
    found = opportunity_rows(store, window, wanted, span)
    if keep:
        keep_opportunities(store, window, wanted, span, found)
    return opportunity_frame(found)


def pairs(
    venue_a: str,
    venue_b: str,
    symbol: str,
    *,
    symbol_b: str | None = None,
    basis: str | None = None,
    start: When | None = None,
    end: When | None = None,
    window_minutes: float = 30.0,
    stale_after_seconds: float = 10.0,
    every_seconds: float = 60.0,
    history: Source = None,
) -> pd.DataFrame:
    """How the two move together, on a grid of a second over the window before: one row every `every_seconds`.

    half_life_s of the spread (infinite: it does not revert), correlation of the returns, and lead_s: by how many
    seconds A moves before B (negative: B leads), with the correlation at that lag; NaN where there is too little to
    say. Raises BadInput, HistoryMissing, HistoryCorrupt.
    """
    span, store = span_of(start, end), open_history(history)
    window = spread_window(
        store, span, sides_of(venue_a, venue_b, symbol, symbol_b, basis), window_minutes, stale_after_seconds
    )
    return pair_series(store, window, span, every_ns=duration_of("every_seconds", every_seconds, SECOND_NS, LONGEST_NS))


def spread_window(
    store: HistoryStore,
    span: Span,
    sides: Sides,
    window_minutes: float,
    stale_after_seconds: float,
    *,
    min_points: int = 30,
    band_deviations: float = 2.0,
    quantiles: tuple[float, float] | None = None,
) -> WindowSpec:
    """Raises BadInput, and HistoryMissing where the quotes of one venue are not stored for the span."""
    for key in filter(None, sides):
        require_received(store, Selection(key=key, kind=HistoryKind.QUOTES), span, 0)
    return WindowSpec(
        kind=WindowKind.SPREAD,
        instrument_a=sides.a,
        instrument_b=sides.b,
        basis=sides.basis,
        span_ns=duration_of("window_minutes", window_minutes, MINUTE_NS, LONGEST_NS) // POINT_NS * POINT_NS,
        resolution_ns=POINT_NS,
        min_points=min_points,
        stale_after_ns=duration_of("stale_after_seconds", stale_after_seconds, SECOND_NS, LONGEST_NS),
        band_deviations=band_deviations,
        quantiles=quantiles,
    )


def _quantiles(given: object) -> tuple[float, float] | None:
    if given is None:
        return None
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise BadInput(f"quantiles {given!r}: expected a lower and an upper, such as (0.05, 0.95)")
    return number_of("quantiles", given[0]), number_of("quantiles", given[1])


def _whole(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadInput(f"{name} {value!r}: expected a whole number")
    return value
