"""Equity over its drawdown, on one axis of time, with the deepest fall marked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from bokeh.models import ColumnDataSource, Range1d
from bokeh.models.annotations import Label
from bokeh.plotting import figure

from workstation.charts.downsampling import places_to_draw
from workstation.charts.legend import column_of, with_legend
from workstation.charts.line_panels import Fitted, Row, fit_lines, legend_args, level, name_panel
from workstation.charts.panels import (
    UTC,
    number_axis,
    panel,
    script,
    share_crosshair,
    show_cross_value,
    source_of,
    tick_about,
)
from workstation.charts.shown import Chart
from workstation.charts.tables import Columns, require_columns, times_of
from workstation.charts.theme import FONT, LIGHT, Brush, Theme
from workstation.model.durations import MS_NS
from workstation.model.market import (
    FloatArray,
)

MOST = 6_000
"""Points of one chart; of more, each stretch keeps its lowest and highest."""
PERCENT = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityChart(Chart):
    """Equity over drawdown; the source "equity" has t (ms UTC), equity, return_percent, drawdown_percent."""

    curve: figure
    drawdown: figure
    source: ColumnDataSource


def equity(
    frame: pd.DataFrame,
    *,
    initial: float | None = None,
    currency: str = "",
    theme: Theme = LIGHT,
    height: int = 420,
    most: int = MOST,
    legend: bool = True,
    zone: str = UTC,
    x_range: Range1d | None = None,
) -> EquityChart:
    """`frame`: `equity_quote` by time. Returns are from `initial`, or else from the first value; the highest equity so
    far, from which drawdown is measured, begins with it. `x_range`: that of another chart, to move with it and
    to draw no more than it shows. Raises BadInput."""
    require_columns(frame, ("equity_quote",), "equity")
    times, values = times_of(frame, "equity"), frame["equity_quote"].to_numpy(np.float64)
    all_columns = _columns(values, initial)
    start_ns, end_ns = (None, None) if x_range is None else _span_ns(x_range)
    places = places_to_draw(times, (values, all_columns["drawdown_percent"]), most, start_ns, end_ns)
    columns = {name: column[places] for name, column in ({"t": times / MS_NS} | all_columns).items()}
    source = source_of(columns, "equity")
    brush = Brush(theme)
    if x_range is None:
        x_range = Range1d(start=columns["t"][0], end=columns["t"][-1]) if len(places) else Range1d(start=0, end=1)
    curve = panel(x_range, height - height // 3, brush, zone, has_dates=False)
    fall = panel(x_range, height // 3, brush, zone)
    rows = _draw(curve, fall, source, currency, brush)
    _mark_deepest(curve, fall, columns, brush)
    fitted = [
        Fitted(plot=curve, columns=("equity",)),
        Fitted(plot=fall, columns=("drawdown_percent",), least=0.5, is_below_zero=True),
    ]
    fit_lines(x_range, source, fitted)
    share_crosshair([curve, fall], brush)
    show_cross_value(curve, brush, 0)
    show_cross_value(fall, brush, 2)
    told = legend_args(source, rows, zone, has_seconds=False)
    panels = [curve, fall]
    layout = with_legend(panels, script("values"), told, brush) if legend else column_of(panels)
    return EquityChart(layout=layout, paints=tuple(brush.paints), curve=curve, drawdown=fall, source=source)


def _span_ns(x_range: Range1d) -> tuple[int, int]:
    start_ms: Any = x_range.start
    end_ms: Any = x_range.end
    return int(start_ms * MS_NS), int(end_ms * MS_NS) + 1


def _columns(values: FloatArray, initial: float | None) -> Columns:
    start = initial if initial is not None else values[0] if len(values) else np.nan
    highest = np.maximum(np.fmax.accumulate(values), start)
    return {
        "equity": values,
        "return_percent": (values / start - 1) * PERCENT,
        "drawdown_percent": (values / highest - 1) * PERCENT,
    }


def _draw(curve: figure, fall: figure, source: ColumnDataSource, currency: str, brush: Brush) -> list[Row]:
    name_panel(curve, f"equity, {currency}" if currency else "equity", brush)
    line = curve.line("t", "equity", source=source, line_width=1.6)
    brush.paint(line.glyph, line_color="accent")
    name_panel(fall, "drawdown, %", brush, corner="bottom")
    area = fall.varea("t", "drawdown_percent", 0, source=source, fill_alpha=0.25)
    edge = fall.line("t", "drawdown_percent", source=source, line_width=1.2)
    brush.paint(area.glyph, fill_color="down")
    brush.paint(edge.glyph, line_color="down")
    level(fall, 0.0, brush)
    number_axis(curve, 0)
    number_axis(fall, 1)
    tick_about(fall, 3)
    return [
        Row(name="equity", column="equity", ink=line.glyph),
        Row(name="return", column="return_percent", unit="%", is_signed=True),
        Row(name="drawdown", column="drawdown_percent", unit="%", ink=edge.glyph),
    ]


def _mark_deepest(curve: figure, fall: figure, columns: Columns, brush: Brush) -> None:
    """From the high before the deepest fall to its end, shaded; and its depth in words."""
    depth = columns["drawdown_percent"]
    if not np.isfinite(depth).any() or np.nanmin(depth) == 0:
        return
    end = int(np.nanargmin(depth))
    start = int(np.flatnonzero(depth[: end + 1] >= 0)[-1]) if (depth[: end + 1] >= 0).any() else 0
    times = columns["t"]
    for plot in (curve, fall):
        strip = plot.vstrip([times[start]], [times[end]], fill_alpha=0.10, line_color=None, level="underlay")
        brush.paint(strip.glyph, fill_color="down")
    dot = fall.scatter([times[end]], [depth[end]], size=7)
    brush.paint(dot.glyph, fill_color="down", line_color="paper")
    is_late = end > len(depth) * 0.7
    label = Label(
        x=times[end], y=depth[end], x_offset=-8 if is_late else 8, y_offset=5, text=f"−{-depth[end]:.2f} %",
        text_align="right" if is_late else "left", text_baseline="middle", text_font=FONT, text_font_size="12px",
    )  # fmt: skip
    fall.add_layout(label)
    brush.paint(label, text_color="text")
