"""What was filled, and what rests: marks at time and price, and lines that end at a word."""

import math

from bokeh.core.properties import value
from bokeh.models import (
    CategoricalColorMapper,
    CDSView,
    ColumnDataSource,
    CustomJS,
    GroupFilter,
    HoverTool,
    InversionFilter,
    Range1d,
)
from bokeh.models.glyphs import Text
from bokeh.models.renderers import DataRenderer
from bokeh.plotting import figure
from bokeh.transform import transform

from workstation.charts.panels import BOXED
from workstation.charts.tables import SIDES
from workstation.charts.theme import FONT, Brush

SIZES = ((80, 13), (300, 9), (math.inf, 7))
"""Pixels of a mark, up to so many of them."""
POINTING = {"buy": 1, "sell": -1}
"""Below its price and up, or above it and down."""
PATH = """
export default (args, obj, {ctx, i, r, visuals}) => {
  const path = new Path2D()
  path.moveTo(0, POINTING)
  path.lineTo(r, POINTING + POINTING * 1.7 * r)
  path.lineTo(-r, POINTING + POINTING * 1.7 * r)
  path.closePath()
  return path
}
"""
"""A triangle whose tip, not its middle, is at the price."""


def draw_fills(plot: figure, source: ColumnDataSource, decimals: int, brush: Brush) -> None:
    """Buys below the price, sells above it; told apart by colour, by shape and by place."""
    marks: list[DataRenderer] = []
    size = next(size for most, size in SIZES if len(source.data["price"]) <= most)
    for side, role in zip(SIDES, ("up", "down"), strict=True):
        path = CustomJS(code=PATH.replace("POINTING", str(POINTING[side])))
        mark = plot.scatter(
            "time", "price", source=source, view=CDSView(filter=GroupFilter(column_name="side", group=side)),
            marker=f"@{side}", defs={f"@{side}": path}, size=size, line_width=1,
        )  # fmt: skip
        brush.paint(mark.glyph, fill_color=role, line_color="paper")
        marks.append(mark)
    price = "0,0." + "0" * decimals if decimals else "0,0"
    tooltips = [("", "@side @quantity{0,0.[00000000]} at @price{" + price + "}"), ("", "@label"), ("", "@time{%F %T}")]
    plot.add_tools(HoverTool(renderers=marks, tooltips=tooltips, formatters={"@time": "datetime"}, visible=False))


def draw_orders(plot: figure, source: ColumnDataSource, brush: Brush) -> Text:
    """Resting orders as thin lines, a stop's dashed, with their words at the right edge; returns the words."""
    sides = CategoricalColorMapper(factors=list(SIDES))
    brush.paint(sides, palette=("up", "down"))
    is_stop = GroupFilter(column_name="kind", group="stop")
    for view, dash in ((InversionFilter(operand=is_stop), "solid"), (is_stop, "dashed")):
        plot.hspan(
            "price", source=source, view=CDSView(filter=view), line_color=transform("side", sides), line_dash=dash
        )
    # a range of its own, from 0 at the left edge to 1 at the right one, that nothing moves
    edge = Range1d(start=0, end=1)
    hold = CustomJS(
        args={"edge": edge}, code="if (edge.start != 0 || edge.end != 1) edge.setv({start: 0, end: 1}, {sync: false})"
    )
    for one in ("start", "end"):
        edge.js_on_change(one, hold)
    plot.extra_x_ranges["edge"] = edge
    words = plot.text(
        1, "price", "words", source=source, x_range_name="edge", x_offset=-6, text_align="right",
        text_baseline="middle", text_font=value(FONT), text_font_size="11px", text_color=transform("side", sides),
        **BOXED,
    )  # fmt: skip
    words.glyph.border_line_color = transform("side", sides)
    brush.paint(words.glyph, background_fill_color="paper")
    glyph: Text = words.glyph
    return glyph
