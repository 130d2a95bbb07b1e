"""What `workstation data spreads` and `data opportunities` do: the kernels over stored quotes, the result kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import typer

from workstation.config.loading import load_configuration
from workstation.config.settings import Settings
from workstation.config.words import opportunities_of
from workstation.history.market_rows import Span
from workstation.history.store import HistoryStore
from workstation.history.writing import Written
from workstation.model.durations import MS_NS
from workstation.model.sides import Sides
from workstation.research.choices import span_of
from workstation.research.notebook_spreads import spread_window
from workstation.research.pair_keeping import keep_opportunities, keep_spreads
from workstation.research.spread_opportunities import opportunity_rows
from workstation.research.spread_series import spread_series
from workstation.research.spread_sides import sides_of


class Wanted(NamedTuple):
    """What both commands are asked."""

    venue_a: str
    venue_b: str
    symbol: str
    symbol_b: str | None
    basis: str | None
    start: str | None
    end: str | None
    stale_after_s: float
    history: Path | None
    config: Path | None

    @property
    def settings(self) -> Settings:
        return load_configuration(self.config).settings

    @property
    def store(self) -> HistoryStore:
        return HistoryStore(self.settings.paths.history if self.history is None else self.history)

    @property
    def sides(self) -> Sides:
        return sides_of(self.venue_a, self.venue_b, self.symbol, self.symbol_b, self.basis)

    @property
    def span(self) -> Span:
        return span_of(self.start, self.end)


def spreads(wanted: Wanted, *, window_minutes: float, every_ms: int, min_points: int) -> None:
    """Raises BadInput, HistoryMissing, HistoryCorrupt."""
    store, span = wanted.store, wanted.span
    window = spread_window(store, span, wanted.sides, window_minutes, wanted.stale_after_s, min_points=min_points)
    frame = spread_series(store, window, span, every_ns=every_ms * MS_NS)
    _tell("spreads", wanted, len(frame), keep_spreads(store, window, span, frame, every_ms * MS_NS), store)


def opportunities(wanted: Wanted, given: Mapping[str, float | None]) -> None:
    """`given`: what else than the settings counts as one. Raises BadInput, HistoryMissing, HistoryCorrupt."""
    store, span = wanted.store, wanted.span
    window = spread_window(store, span, wanted.sides, 1.0, wanted.stale_after_s)
    counts = opportunities_of(_with(wanted.settings, given))
    found = opportunity_rows(store, window, counts, span)
    closed = int((found["closed_ns"] > 0).sum())
    _tell("opportunities", wanted, closed, keep_opportunities(store, window, counts, span, found), store)


def _with(settings: Settings, given: Mapping[str, float | None]) -> Settings:
    named = {name: value for name, value in given.items() if value is not None}
    return settings.model_copy(update={"opportunities": settings.opportunities.model_copy(update=named)})


def _tell(kind: str, wanted: Wanted, found: int, written: Written, store: HistoryStore) -> None:
    known = found - written.rows_stored
    before = f", {known:,} were kept before" if known else ""
    typer.echo(
        f"{wanted.venue_a}~{wanted.venue_b} {wanted.symbol}: {found:,} {kind}, {written.rows_stored:,} new in "
        f"{store.root}{before}"
    )
