"""Figures as this house draws them: time below, values on the right, a thin grid, one crosshair for all panels."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt
from bokeh.events import DoubleTap, MouseLeave, MouseMove
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    CrosshairTool,
    CustomJS,
    CustomJSTickFormatter,
    InlineStyleSheet,
    Model,
    PanTool,
    Range,
    Range1d,
    ResetTool,
    WheelZoomTool,
)
from bokeh.models.annotations import Label, Span
from bokeh.models.nodes import Node
from bokeh.plotting import figure

from workstation.charts.theme import FONT, Brush

SCRIPTS = Path(__file__).with_name("scripts")
UTC = "UTC"
BOXED: dict[str, Any] = {"border_radius": 2, "padding": {"left": 5, "right": 5, "top": 2, "bottom": 2}}
"""A text with a ground of its own."""
AXIS_WIDTH = 74
"""Pixels at the right of every panel, so that panels of one column begin and end alike."""


def script(name: str) -> str:
    """A file of `scripts`: what runs in the browser."""
    return (SCRIPTS / f"{name}.js").read_text("utf-8")


def panel(x_range: Range, height: int, brush: Brush, zone: str, *, has_dates: bool = True) -> figure:
    """An empty panel over time, told in the zone; `has_dates` where it is the lowest of its column."""
    plot = figure(
        x_range=x_range,
        y_range=Range1d(start=0, end=1),
        height=height,
        sizing_mode="stretch_width",
        x_axis_type="datetime" if has_dates else None,  # an axis unseen costs twenty models
        y_axis_location="right",
        toolbar_location=None,  # a double click resets
        tools=[],
        min_border_left=26,
        min_border_right=AXIS_WIDTH,
        min_border_top=4,
        min_border_bottom=4,
        output_backend="canvas",
    )
    zoom = WheelZoomTool(dimensions="width")
    plot.add_tools(PanTool(dimensions="width"), zoom, ResetTool())
    plot.toolbar.active_scroll = zoom
    plot.js_on_event(DoubleTap, CustomJS(args={"plot": plot}, code="plot.reset.emit()"))
    _dress(plot, brush, zone, has_dates=has_dates)
    return plot


def _dress(plot: figure, brush: Brush, zone: str, *, has_dates: bool) -> None:
    plot.outline_line_color = None
    # the ring around what has the focus is for whoever came by the keyboard
    plot.stylesheets = [InlineStyleSheet(css=":host(:focus:not(:focus-visible)) { outline: none; }")]
    brush.paint(plot, background_fill_color="paper", border_fill_color="paper")
    for axis in (*plot.xaxis, *plot.yaxis):
        axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = None
        axis.major_label_text_font, axis.major_label_text_font_size = FONT, "12px"
        axis.major_tick_out = axis.major_tick_in = axis.minor_tick_out = 0
        axis.major_label_standoff = 8
        brush.paint(axis, major_label_text_color="muted")
    brush.paint(plot.ygrid, grid_line_color="grid")
    tick_about(plot, 6)
    if has_dates:
        plot.xgrid.grid_line_color = None
        plot.xaxis.formatter = CustomJSTickFormatter(
            args={"range": plot.x_range, "zone": zone}, code=script("time_axis")
        )


def share_crosshair(plots: list[figure], brush: Brush) -> list[Model]:
    """One vertical line through all panels, a horizontal one in each; returns the lines."""
    upright = Span(dimension="height", line_width=1, line_dash=[4, 3])
    lines: list[Model] = [upright]
    for plot in plots:
        level = Span(dimension="width", line_width=1, line_dash=[4, 3])
        plot.add_tools(CrosshairTool(overlay=(level, upright), visible=False))
        lines.append(level)
    brush.paint(lines, line_color="muted")
    return lines


def axis_tag(
    plot: figure, brush: Brush, ground: str, *, y: float = 0.0, text: str = "", ink: str = "on_colour"
) -> Label:
    """A value on a ground of its own over the axis of values."""
    tag = Label(
        x=Node(target="frame", symbol="right"), y=y, x_offset=4, text=text, text_baseline="middle",
        text_font=FONT, text_font_size="12px", level="overlay", **BOXED,
    )  # fmt: skip
    plot.add_layout(tag, "above")  # a panel beside the frame: in the frame itself it would be cut off at the edge
    brush.paint(tag, background_fill_color=ground, text_color=ink)
    return tag


def show_cross_value(plot: figure, brush: Brush, decimals: int) -> Label:
    """The value under the crosshair, at the axis."""
    tag = axis_tag(plot, brush, "tag", ink="paper")
    tag.visible = False
    move = "tag.setv({y: cb_obj.y, text: cb_obj.y.toLocaleString('en-US', digits), visible: true}, {sync: false})"
    plot.js_on_event(MouseMove, CustomJS(args={"tag": tag, "digits": digits(decimals)}, code=move))
    plot.js_on_event(MouseLeave, CustomJS(args={"tag": tag}, code="tag.setv({visible: false}, {sync: false})"))
    return tag


def number_axis(plot: figure, decimals: int) -> None:
    plot.yaxis.formatter = CustomJSTickFormatter(
        args={"range": plot.y_range, "digits": digits(decimals)}, code=script("number_axis")
    )


def digits(decimals: int) -> dict[str, int]:
    """What the browser's own number format is told."""
    return {"minimumFractionDigits": decimals, "maximumFractionDigits": decimals}


def tick_about(plot: figure, count: int) -> None:
    plot.yaxis.ticker = BasicTicker(desired_num_ticks=count)


def source_of(columns: Mapping[str, npt.NDArray[Any]], name: str) -> ColumnDataSource:
    return ColumnDataSource(dict[str, Any](columns), name=name)
