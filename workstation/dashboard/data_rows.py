"""The Data page's table, map and facts of the survey of a history."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from workstation.charts.quality import MOST_CELLS, cell_columns
from workstation.dashboard.tables import QUANTITY_DIGITS, Column, Row
from workstation.history.survey import Figures, SeriesFacts
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, MS_NS, SECOND_NS

SERIES = (
    Column(name="what", title="Kind", least=94),
    Column(name="venue", title="Venue", least=66),
    Column(name="symbol", title="Symbol", least=126),
    Column(name="start", title="From, UTC", least=122, rank=4),
    Column(name="end", title="To, UTC", least=122, rank=3),
    Column(name="rows", title="Rows", kind="quantity", rank=2),
    Column(name="size", title="Size, MB", kind="price", rank=5),
    Column(name="coverage", title="Covered, %", kind="price", least=84),
    Column(name="gaps", title="Gaps", kind="quantity", rank=1, least=54),
    Column(name="age", title="Age", kind="span", rank=3),
    Column(name="faults", title="Faults", kind="quantity", rank=2, least=60),
)
GAPS = (
    Column(name="start", title="From, UTC", least=122),
    Column(name="end", title="To, UTC", least=122, rank=1),
    Column(name="length", title="Length", least=70),
)
SOURCES = (
    Column(name="source", title="Source", least=150),
    Column(name="version", title="Taken in by", least=120),
    Column(name="content", title="SHA-256", kind="id", rank=1, least=90),
    Column(name="options", title="How", rank=2, least=90),
)
UNITS = ((DAY_NS, "d"), (HOUR_NS, "h"), (MINUTE_NS, "min"), (SECOND_NS, "s"), (MS_NS, "ms"), (1_000, "us"))


def series_rows(series: Sequence[SeriesFacts], figures: Mapping[str, Figures], now_ns: int | None = None) -> list[Row]:
    """A row for each; what was not looked at yet is not known. Coverage is in percent, and never rounded up to 100."""
    now_ns = time.time_ns() if now_ns is None else now_ns
    return [_row(one, figures.get(one.name), now_ns) for one in series]


def _row(one: SeriesFacts, found: Figures | None, now_ns: int) -> Row:
    return {
        "what": what_of(one),
        "venue": one.venue,
        "symbol": one.symbol,
        "start": moment(one.start_ns),
        "end": moment(one.end_ns),
        "rows": one.rows,
        "size": one.bytes / 1e6,
        "coverage": None if found is None else covered_percent(found.coverage),
        "gaps": None if found is None else found.gaps,
        "age": max(0, round((now_ns - one.end_ns) / SECOND_NS)),
        "faults": None if found is None else found.faults,
        QUANTITY_DIGITS: 0,
    }


def what_of(one: SeriesFacts) -> str:
    """ "quotes", "bars 1h"."""
    return one.kind if one.interval is None else f"{one.kind} {one.interval}"


def covered_percent(share: float) -> float:
    return 100.0 if share >= 1.0 else int(share * 10_000) / 100


def map_of(names: Sequence[str], figures: Mapping[str, Figures], most: int = MOST_CELLS) -> Mapping[str, Any]:
    """{"period": "day", "heads": [label…], "lines": [[name, [[coverage, rows, words] or None…]]…]}, of what is known.

    The cells are those of the chart in a notebook: of more than `most` days a cell is a week, a month or longer.
    """
    known = [figures[name] for name in names if name in figures]
    days = [(one.name, day.day, day.rows, day.coverage) for one in known for day in one.days]
    if not days:
        return {"period": "day", "heads": [], "lines": []}
    frame = pd.DataFrame(days, columns=["dataset", "day", "rows", "coverage"])
    period, columns = cell_columns(frame.assign(day=pd.to_datetime(frame["day"], utc=True)), most)
    cells = {
        (name, label): [float(share), int(rows), words]
        for name, label, share, rows, words in zip(
            *(columns[column].tolist() for column in ("dataset", "period", "coverage", "rows", "words")), strict=True
        )
    }
    heads = sorted({label for _, label in cells})
    lines = [[one.name, [cells.get((one.name, label)) for label in heads]] for one in known]
    return {"period": period, "heads": heads, "lines": lines}


def fact_groups(one: SeriesFacts, found: Figures | None) -> list[Any]:
    """As FactSheet has them."""
    return [["Rows", _stored(one)], *([] if found is None else [["Quality", _quality(found)]])]


def gap_rows(found: Figures | None) -> list[Row]:
    """The longest first."""
    if found is None:
        return []
    return [
        {"start": moment(one.start_ns), "end": moment(one.end_ns), "length": length(one.end_ns - one.start_ns)}
        for one in found.longest_gaps
    ]


def source_rows(one: SeriesFacts) -> list[Row]:
    """The newest first."""
    return [
        {"source": source.name, "version": source.written_by, "content": source.content_hash, "options": source.options}
        for source in one.sources
    ]


def _stored(one: SeriesFacts) -> list[Any]:
    return [
        ["From", moment(one.start_ns)],
        ["To", moment(one.end_ns)],
        ["Rows", f"{one.rows:,}"],
        ["Size", f"{one.bytes / 1e6:,.1f} MB"],
        ["Files", f"{one.files:,}" if one.files else "none yet: the rows are in the live log"],
        ["Sources", f"{one.all_sources:,}"],
    ]


def _quality(found: Figures) -> list[Any]:
    counts = {
        "Doubles": found.duplicates,
        "Out of order": found.out_of_order,
        "Crossed": found.crossed,
        "Zero prices": found.zero_prices,
        "Outliers": found.outliers,
        "Still prices": found.frozen,
    }
    offset_ns = found.clock_offset_ns
    clock = "–" if offset_ns is None else length(offset_ns) + (" (the receiver was behind)" if offset_ns < 0 else "")
    return [
        ["Covered", f"{covered_percent(found.coverage):.2f} %"],
        ["Gaps", f"{found.gaps:,}" + (f", {length(found.missing_ns)} in all" if found.gaps else "")],
        ["Receipt behind the venue", clock],
        *([name, "–" if count is None else f"{count:,}"] for name, count in counts.items()),
        *(["Not read", fault] for fault in found.damaged),
    ]


def moment(ts_ns: int) -> str:
    """ "2024-05-01 13:30"."""
    return f"{datetime.fromtimestamp(ts_ns / SECOND_NS, UTC):%Y-%m-%d %H:%M}"


def length(length_ns: int) -> str:
    """ "2 d", "12.5 min": three digits of the largest unit that it fills."""
    unit_ns, unit = next(((size, name) for size, name in UNITS if abs(length_ns) >= size), (1, "ns"))
    return f"{length_ns / unit_ns:.3g} {unit}".replace("-", "−")
