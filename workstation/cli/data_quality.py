"""What `workstation data quality` prints: a line for each series, then its longest gaps and what could not be read."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import typer

from workstation.charts.quality import coverage
from workstation.cli.data_lengths import shown_length
from workstation.cli.data_quality_metrics import metrics_text
from workstation.cli.progress import Progress
from workstation.cli.tables import aligned
from workstation.config.lengths import seconds_of
from workstation.history.calendars import Calendar
from workstation.history.chosen import ChosenSeries
from workstation.history.quality import SeriesQuality, history_quality
from workstation.history.quality_tables import coverage_frame, plain_values
from workstation.history.store import HistoryStore, shown_time
from workstation.model.durations import SECOND_NS

HEADER = (
    *("KIND", "VENUE", "SYMBOL", "INTERVAL", "ROWS", "COVERAGE", "GAPS", "LONGEST", "DOUBLE", "UNORDERED", "CROSSED"),
    *("ZERO", "OUTLIERS", "FROZEN", "CLOCK", "AGE", "FROM", "TO"),
)
RIGHT = frozenset(range(4, 16))
SHOWN = 3
"""Longest gaps of a series that are told one by one."""


def quality(
    store: HistoryStore,
    chosen: ChosenSeries,
    *,
    gap: str | None,
    calendar: Calendar,
    html: Path | None,
    as_metrics: bool,
    as_json: bool,
) -> None:
    """Prints the chosen series. Raises BadInput."""
    wanted = [one for one in store.series() if chosen.has(one)]
    gap_ns = None if gap is None else round(seconds_of(gap, "--gap") * SECOND_NS)
    with Progress("quality") as progress:
        found = history_quality(
            store,
            now_ns=time.time_ns(),
            series=sorted(wanted, key=str),
            gap_ns=gap_ns,
            calendar=calendar,
            on_rows=progress.show,
        )
    if html is not None:
        coverage(coverage_frame(found)).save(html, "coverage by day")
    if as_json:
        typer.echo(json.dumps([plain_values(one) for one in found], indent=2))
    elif as_metrics:
        typer.echo(metrics_text(found), nl=False)
    elif found:
        typer.echo(as_text(found))
    else:
        typer.echo(f"no such history in {store.root}. What is there: workstation data list")


def as_text(found: Sequence[SeriesQuality]) -> str:
    """The table, then what a figure alone does not tell."""
    lines = [aligned(HEADER, [cells(one) for one in found], right=RIGHT)]
    for one in found:
        lines += [
            f"{one.name}: nothing for {shown_length(gap.length_ns)} from {shown_time(gap.start_ns)}"
            for gap in one.longest_gaps[:SHOWN]
        ]
        if one.gaps > SHOWN:
            lines.append(f"{one.name}: and {one.gaps - SHOWN:,} more gaps, {shown_length(one.missing_ns)} in all")
        if one.clock_offset_ns is not None and one.clock_offset_ns < 0:
            behind = shown_length(-one.clock_offset_ns)
            lines.append(f"{one.name}: received {behind} before it happened (median): the receiver's clock was behind")
        lines += [f"{one.name}: not read: {fault}" for fault in one.damaged]
    return "\n".join(lines)


def cells(one: SeriesQuality) -> tuple[str, ...]:
    """One line of the table."""
    longest = one.longest_gaps[0].length_ns if one.longest_gaps else None
    counts = (one.duplicates, one.out_of_order, one.crossed, one.zero_prices, one.outliers, one.frozen)
    return (
        *(str(one.series.kind), one.series.key.venue, one.series.key.symbol, one.interval or "-"),
        *(f"{one.rows:,}", shown_share(one.coverage), f"{one.gaps:,}", _or_dash(longest)),
        *("-" if count is None else f"{count:,}" for count in counts),
        *(_or_dash(one.clock_offset_ns), shown_length(one.age_ns)),
        *(shown_time(one.start_ns), shown_time(one.end_ns)),
    )


def shown_share(share: float) -> str:
    """In percent, rounded down: 100 % is said of what is whole."""
    return "100 %" if share >= 1.0 else f"{int(share * 10_000) / 100:.2f} %"


def _or_dash(length_ns: int | None) -> str:
    return "-" if length_ns is None else shown_length(length_ns)
