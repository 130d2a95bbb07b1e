"""The charts of a report."""

from pathlib import Path

from workstation.charts.spread import spread
from workstation.history.store import HistoryStore
from workstation.research.notebook_spreads import spreads
from workstation.research.replay_result import ReplayResult
from workstation.research.reports import sections
from workstation.research.reports.account import Account

WINDOW = {"window_minutes", "min_points", "stale_after_seconds"}
"""Parameters by which strategies on spreads declare their window, and `ws.spreads` too."""


def result_chart(account: Account) -> str:
    """The bars with every fill over the equity, as `plot` draws them; nothing where nothing was traded."""
    if account.equity.empty:
        return ""
    name = "Equity and drawdown" if account.bars is None else "Price, fills and equity"
    return sections.chart(name, account.result.plot().layout)


def spread_chart(account: Account) -> str:
    """Of a replay on the quotes of two venues, the spread with its band and edges."""
    result = account.result
    if not isinstance(result, ReplayResult) or account.bars is not None or len(account.instruments) != 2:
        return ""
    one, other = (instrument.key for instrument in account.instruments)
    manifest = result.manifest
    frame = spreads(
        one.venue,
        other.venue,
        one.symbol,
        start=manifest.start_ns,
        end=manifest.end_ns,
        history=HistoryStore(Path(manifest.history)),
        **{name: value for name, value in account.parameters.items() if name in WINDOW},
    )
    return sections.chart("Spread", spread(frame, names=(one.venue, other.venue)).layout)
