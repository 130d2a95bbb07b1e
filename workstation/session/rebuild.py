"""What a start needs from before its first row: since when rows must be read again, and the bars behind it."""

from workstation.model.market import Bars
from workstation.session.session import Session
from workstation.strategies.base import TickStrategy
from workstation.windows.bars import ClosedBar


def rebuild_from_ns(session: Session, now_ns: int) -> int | None:
    """From when rows must be read again so that every window is as if it had never stopped; None: from the beginning.

    At the last anchor statistics are recomputed from the points of one span; these need quotes of one staleness more.
    """
    if not isinstance(session.strategy, TickStrategy):
        return None
    windows = session.strategy.windows(session.settings.instruments).values()
    return min(
        (now_ns // w.anchor_ns * w.anchor_ns - w.span_ns - w.stale_after_ns - w.resolution_ns for w in windows),
        default=now_ns,
    )


def warm_up(session: Session, bars: Bars) -> None:
    """Shows a bar strategy the bars before its run; it decides nothing on them."""
    if session.bars is None:
        return
    columns = (bars.ts_open, bars.open, bars.high, bars.low, bars.close, bars.volume)
    for values in zip(*(column.tolist() for column in columns), strict=True):
        session.bars.take(ClosedBar(0, bars.interval_ns, *values), is_muted=True)
    if len(bars):
        session.bars.warm_until_ns = int(bars.ts_open[-1]) + bars.interval_ns
