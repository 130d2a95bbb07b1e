"""Coverage of stored series by day, as a map: a cell for each day and series, filled as far as it is covered.

A cell says it three times, by its number, by how high it is filled, and by its colour, so that none of them is needed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from bokeh.core.properties import value
from bokeh.models import ColumnDataSource, FactorRange, HoverTool
from bokeh.plotting import figure

from workstation.charts.panels import source_of
from workstation.charts.shown import Chart
from workstation.charts.tables import Columns, require_columns
from workstation.charts.theme import FONT, LIGHT, Brush, Theme
from workstation.errors import BadInput

MOST_CELLS = 31
"""Beside one another; of more days a cell is a week, a month, a quarter or a year."""
PERIODS = (("day", "D"), ("week", "W-SUN"), ("month", "M"), ("quarter", "Q"), ("year", "Y"))
LEVELS = ((1.0, "up"), (0.95, "series.2"), (0.0, "down"))
"""From which coverage on a cell has which colour: whole, nearly, else."""
NEEDED = ("dataset", "day", "rows", "coverage")
ROW_HEIGHT, MARGIN = 34, 80


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageChart(Chart):
    """The map's figure and its source "coverage": period, dataset, coverage, rows, words, bottom, top, level."""

    plot: figure
    source: ColumnDataSource
    period: str
    """What a cell is: "day", "week", "month", "quarter" or "year"."""


def coverage(frame: pd.DataFrame, *, theme: Theme = LIGHT, most: int = MOST_CELLS) -> CoverageChart:
    """`frame` has a row for each dataset and day with `rows` and `coverage` from 0 to 1. Raises BadInput."""
    require_columns(frame, NEEDED, "coverage")
    _require_shares(frame)
    period, columns = cell_columns(frame, most)
    datasets = list(dict.fromkeys(frame["dataset"].astype(str)))
    source = source_of(columns, "coverage")
    brush = Brush(theme)
    plot = figure(
        x_range=FactorRange(factors=sorted(set(columns["period"].tolist()))),
        y_range=FactorRange(factors=datasets[::-1]),
        height=MARGIN + ROW_HEIGHT * max(len(datasets), 1),
        sizing_mode="stretch_width",
        x_axis_location="above",
        toolbar_location=None,
        tools=[],
        output_backend="canvas",
    )
    _dress(plot, brush)
    ground = plot.rect("period", "dataset", 0.96, 0.9, source=source, line_width=0)
    brush.paint(ground.glyph, fill_color="grid")
    for number, (_, role) in enumerate(LEVELS):
        part = source_of({name: cells[columns["level"] == number] for name, cells in columns.items()}, f"level{number}")
        fill = plot.vbar(x="period", width=0.96, bottom="bottom", top="top", source=part, line_width=0, fill_alpha=0.4)
        brush.paint(fill.glyph, fill_color=role)
    words = plot.text(
        "period", "dataset", "words", source=source, text_align="center", text_baseline="middle",
        text_font=value(FONT), text_font_size="11px",
    )  # fmt: skip
    brush.paint(words.glyph, text_color="text")
    told = [(period, "@period"), ("dataset", "@dataset"), ("covered", "@coverage{0.00 %}"), ("rows", "@rows{0,0}")]
    plot.add_tools(HoverTool(renderers=[ground], tooltips=told))
    return CoverageChart(layout=plot, paints=tuple(brush.paints), plot=plot, source=source, period=period)


def cell_columns(frame: pd.DataFrame, most: int) -> tuple[str, Columns]:
    """What a cell is, and the columns of the source. Of several days in a cell the coverage is their mean."""
    days = pd.DatetimeIndex(frame["day"]).tz_localize(None)
    count, period, labels = 0, PERIODS[0][0], np.array([], dtype=object)
    for period, code in PERIODS:
        labels = _labels(days, period, code)
        count = len(set(labels.tolist()))
        if count <= most:
            break
    datasets = frame["dataset"].astype(str).to_numpy(object)
    table = pd.DataFrame({"period": labels, "dataset": datasets, "rows": frame["rows"], "coverage": frame["coverage"]})
    cells = table.groupby(["dataset", "period"], sort=False, as_index=False).agg({"rows": "sum", "coverage": "mean"})
    shares = cells["coverage"].to_numpy(np.float64)
    columns: Columns = {name: cells[name].to_numpy() for name in ("rows", "coverage")}
    columns |= {name: cells[name].to_numpy(object) for name in ("period", "dataset")}
    columns["words"] = np.array([percent_words(share) for share in shares], dtype=object)
    columns["level"] = np.array([_level(share) for share in shares], np.int64)
    columns["bottom"] = _offsets(cells["dataset"].tolist(), np.full(len(cells), -0.45))
    columns["top"] = _offsets(cells["dataset"].tolist(), -0.45 + 0.9 * shares)
    return period, columns


def percent_words(share: float) -> str:
    """Whole percents, rounded down, so that 100 is said of what is whole alone; a trace is no 0."""
    if 0.0 < share < 0.01:
        return "<1"
    return str(int(share * 100 + 1e-9)) if share < 1.0 else "100"


def _labels(days: pd.DatetimeIndex, period: str, code: str) -> Any:
    periods = days.to_period(code)
    texts = periods.start_time.strftime("%Y-%m-%d") if period in ("day", "week") else periods.astype(str)
    return np.asarray(texts, dtype=object)


def _level(share: float) -> int:
    return next(number for number, (least, _) in enumerate(LEVELS) if share >= least)


def _offsets(factors: list[str], shifts: Any) -> Any:
    """Places on a categorical axis: each category's middle, and so much beside it."""
    places = np.empty(len(factors), dtype=object)
    places[:] = [(factor, float(shift)) for factor, shift in zip(factors, shifts, strict=True)]
    return places


def _require_shares(frame: pd.DataFrame) -> None:
    shares = frame["coverage"].to_numpy(np.float64)
    bad = np.flatnonzero(~((shares >= 0) & (shares <= 1)))
    if len(bad):
        raise BadInput(f"coverage: {shares[bad[0]]} in row {bad[0]}: expected 0 to 1")


def _dress(plot: figure, brush: Brush) -> None:
    plot.outline_line_color = None
    plot.grid.grid_line_color = None
    brush.paint(plot, background_fill_color="paper", border_fill_color="paper")
    for axis in (*plot.xaxis, *plot.yaxis):
        axis.axis_line_color = axis.major_tick_line_color = None
        axis.major_label_text_font, axis.major_label_text_font_size = FONT, "12px"
        brush.paint(axis, major_label_text_color="muted")
    plot.xaxis.major_label_orientation = 0.9
