"""A spread between two venues: the spread in its band, what crossing would leave, and how far out it is."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bokeh.models import ColumnDataSource, Range1d
from bokeh.plotting import figure

from workstation.charts.downsampling import places_to_draw
from workstation.charts.legend import column_of, with_legend
from workstation.charts.line_panels import Fitted, Row, fit_lines, legend_args, level, name_panel
from workstation.charts.opportunities import opportunities
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
from workstation.charts.tables import Columns, milliseconds, require_columns, times_of
from workstation.charts.theme import LIGHT, Brush, Theme
from workstation.model.durations import MS_NS

MOST = 9_000
"""Rows of one chart; of more, each stretch keeps its lowest and highest."""
DRAWN = ("spread_bps", "net_edge_ab_bps", "net_edge_ba_bps", "z")
NEEDED = (*DRAWN, "mean_bps", "upper_bps", "lower_bps")
SECOND_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadChart(Chart):
    """Three panels over one source "spread" (t in ms UTC, NaN is a gap), and one of shaded spans, "opportunities"."""

    bands: figure
    edges: figure
    z: figure
    source: ColumnDataSource
    spans: ColumnDataSource


def spread(
    frame: pd.DataFrame,
    *,
    names: tuple[str, str] = ("A", "B"),
    threshold_bps: float = 0.0,
    z_levels: tuple[float, ...] = (-2.0, 2.0),
    theme: Theme = LIGHT,
    height: int = 560,
    most: int = MOST,
    legend: bool = True,
    zone: str = UTC,
) -> SpreadChart:
    """`frame` is what `ws.spreads` gives, `names` the venues'. Spans in which a net edge is over `threshold_bps` are
    shaded, and are those of all rows, however few are drawn. Raises BadInput."""
    require_columns(frame, NEEDED, "spreads")
    times = times_of(frame, "spreads")
    columns = tuple(frame[name].to_numpy(np.float64) for name in DRAWN)
    source = source_of(spread_columns(frame.iloc[places_to_draw(times, columns, most)]), "spread")
    spans = source_of(span_columns(frame, threshold_bps), "opportunities")
    brush = Brush(theme)
    x_range = (
        Range1d(start=times[0] / MS_NS, end=times[-1] / MS_NS + SECOND_MS) if len(times) else Range1d(start=0, end=1)
    )
    heights = (height * 45 // 100, height * 30 // 100, height * 25 // 100)
    panels = [panel(x_range, one, brush, zone, has_dates=place == 2) for place, one in enumerate(heights)]
    _shade(panels[:2], spans, brush)
    rows = [*_draw_bands(panels[0], source, brush), *_draw_edges(panels[1], source, names, threshold_bps, brush)]
    rows.append(_draw_z(panels[2], source, z_levels, brush))
    fitted = [
        Fitted(plot=panels[0], columns=("spread", "upper", "lower"), least=1.0),
        Fitted(plot=panels[1], columns=("net_edge_ab", "net_edge_ba"), least=1.0, has_zero=True),
        Fitted(plot=panels[2], columns=("z",), least=5.0, has_zero=True),
    ]
    fit_lines(x_range, source, fitted)
    share_crosshair(panels, brush)
    for one in panels:
        number_axis(one, 1)
        show_cross_value(one, brush, 2)
    told = legend_args(source, rows, zone, has_seconds=True)
    layout = with_legend(panels, script("values"), told, brush) if legend else column_of(panels)
    bands, edges, z = panels
    paints = tuple(brush.paints)
    return SpreadChart(layout=layout, paints=paints, bands=bands, edges=edges, z=z, source=source, spans=spans)


def spread_columns(frame: pd.DataFrame) -> Columns:
    """Columns of the source "spread". In a gap the band has no height, as an area knows no hole."""
    columns: Columns = {
        name: frame[f"{name}_bps"].to_numpy(np.float64) for name in ("spread", "mean", "upper", "lower")
    }
    is_gap = np.isnan(columns["spread"])
    for name in ("upper", "lower"):
        columns[name] = np.where(is_gap, columns["mean"], columns[name])
    columns["mean"] = np.where(is_gap, np.nan, columns["mean"])
    for name in ("net_edge_ab", "net_edge_ba"):
        columns[name] = frame[f"{name}_bps"].to_numpy(np.float64)
    return {"t": milliseconds(frame.index, "spreads"), **columns, "z": frame["z"].to_numpy(np.float64)}


def span_columns(frame: pd.DataFrame, threshold_bps: float) -> Columns:
    """Columns of the source "opportunities": start and end, ms UTC."""
    found = opportunities(frame, threshold_bps)
    return {name: milliseconds(found[name], "opportunities") for name in ("start", "end")}


def _shade(plots: list[figure], spans: ColumnDataSource, brush: Brush) -> None:
    for plot in plots:
        strip = plot.vstrip(
            "start", "end", source=spans, fill_alpha=0.14, line_alpha=0.4, line_width=1, level="underlay"
        )
        brush.paint(strip.glyph, fill_color="series.2", line_color="series.2")


def _draw_bands(plot: figure, source: ColumnDataSource, brush: Brush) -> list[Row]:
    name_panel(plot, "spread, bps", brush)
    band = plot.varea("t", "lower", "upper", source=source, fill_alpha=0.13)
    brush.paint(band.glyph, fill_color="band")
    mean = plot.line("t", "mean", source=source, line_width=1, line_dash=[5, 4])
    brush.paint(mean.glyph, line_color="muted")
    line = plot.line("t", "spread", source=source, line_width=1.4)
    brush.paint(line.glyph, line_color="accent")
    told = (
        ("spread", "spread", line.glyph),
        ("mean", "mean", mean.glyph),
        ("upper", "upper", None),
        ("lower", "lower", None),
    )
    return [Row(name=name, column=column, is_signed=True, ink=ink) for name, column, ink in told]


def _draw_edges(
    plot: figure, source: ColumnDataSource, names: tuple[str, str], threshold_bps: float, brush: Brush
) -> list[Row]:
    name_panel(plot, "net edges, bps", brush)
    level(plot, 0.0, brush)
    if threshold_bps:
        level(plot, threshold_bps, brush, "dashed")
    rows = []
    for place, side in enumerate(("ab", "ba")):
        line = plot.step("t", f"net_edge_{side}", source=source, mode="after", line_width=1.4)
        brush.paint(line.glyph, line_color=f"series.{place}")
        way = " → ".join(names if side == "ab" else names[::-1])
        rows.append(Row(name=way, column=f"net_edge_{side}", is_signed=True, ink=line.glyph))
    return rows


def _draw_z(plot: figure, source: ColumnDataSource, levels: tuple[float, ...], brush: Brush) -> Row:
    name_panel(plot, "z", brush)
    level(plot, 0.0, brush)
    for value in levels:
        level(plot, value, brush, "dashed")
    tick_about(plot, 3)
    line = plot.line("t", "z", source=source, line_width=1.2)
    brush.paint(line.glyph, line_color="muted")
    return Row(name="z", column="z", is_signed=True, ink=line.glyph)
