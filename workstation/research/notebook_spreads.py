"""`ws.spreads` and `ws.opportunities`: the spread between two venues over stored quotes, in plain words.

spreads = ws.spreads("nova", "orion", "BTC/USDT:USDT", start="2024-05-01")
ws.opportunities(spreads, threshold_bps=2.0)
"""

import pandas as pd

from workstation.charts.opportunities import opportunities
from workstation.config.words import keys_of, milliseconds_of, number_of
from workstation.errors import BadInput
from workstation.history.blocks import Selection
from workstation.history.layout import HistoryKind
from workstation.model.market import MINUTE_NS, SECOND_NS
from workstation.research.choices import When, require_received, span_of
from workstation.research.notebook import Source, open_history
from workstation.research.spread_series import spread_series
from workstation.windows.specs import WindowKind, WindowSpec

__all__ = ["opportunities", "spreads"]
MS_NS = 1_000_000
POINT_NS = 100 * MS_NS
"""A window's point, as WindowSpec has it by default."""


def spreads(
    venue_a: str,
    venue_b: str,
    symbol: str,
    *,
    start: When | None = None,
    end: When | None = None,
    window_minutes: float = 30.0,
    min_points: int = 30,
    stale_after_seconds: float = 10.0,
    band_deviations: float = 2.0,
    resolution_ms: int = 1_000,
    history: Source = None,
) -> pd.DataFrame:
    """Spread, mean, band, z and edges in bps by receipt (UTC), at most one row per `resolution_ms`.

    The figures are those that the engine shows of the same quotes: by default its own window, of 30 minutes. NaN is a
    gap, or a window that is not warm yet. Raises BadInput, HistoryMissing, HistoryCorrupt.
    """
    key_a, key_b = keys_of((venue_a, venue_b), symbol)
    span, store = span_of(start, end), open_history(history)
    for key in (key_a, key_b):
        require_received(store, Selection(key=key, kind=HistoryKind.QUOTES), span, 0)
    minutes = number_of("window_minutes", window_minutes)
    stale_s = number_of("stale_after_seconds", stale_after_seconds)
    window = WindowSpec(
        kind=WindowKind.SPREAD,
        instrument_a=key_a,
        instrument_b=key_b,
        span_ns=round(minutes * MINUTE_NS) // POINT_NS * POINT_NS,
        resolution_ns=POINT_NS,
        min_points=_whole("min_points", min_points),
        stale_after_ns=round(stale_s * SECOND_NS),
        band_deviations=number_of("band_deviations", band_deviations),
    )
    return spread_series(store, window, span, every_ns=milliseconds_of("resolution_ms", resolution_ms) * MS_NS)


def _whole(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadInput(f"{name} {value!r}: expected a whole number")
    return value
