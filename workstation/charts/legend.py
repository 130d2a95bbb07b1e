"""The side legend: values at the crosshair, beside the chart where there is room and above it where there is not.

It is filled in the browser alone. Names from outside are escaped there, and stand as text.
"""

from typing import Any

from bokeh.events import MouseLeave, MouseMove
from bokeh.models import Column, CustomJS, InlineStyleSheet, LayoutDOM, Row
from bokeh.models.widgets import Div
from bokeh.plotting import figure

from workstation.charts.theme import FONT, Brush, Theme

NARROW = "@container (max-width: 640px)"


def with_legend(plots: list[figure], fill: str, args: dict[str, Any], brush: Brush) -> LayoutDOM:
    """Panels in a column, and beside them a legend that the script `fill` writes, told `legend` besides its `args`."""
    column = column_of(plots)
    sheet, frame = InlineStyleSheet(), InlineStyleSheet()
    legend = Div(sizing_mode="stretch_width", css_classes=["ws-legend"], stylesheets=[sheet])
    brush.paint(sheet, css=_values_css)
    brush.paint(frame, css=_frame_css)
    write = CustomJS(args={"legend": legend, **args}, code=fill)
    for plot in plots:
        plot.js_on_event(MouseMove, write)
        plot.js_on_event(MouseLeave, write)
    plots[0].js_on_change("inner_width", write)  # once it is laid out
    return Row(children=[column, legend], sizing_mode="stretch_width", stylesheets=[frame], spacing=0)


def column_of(plots: list[figure]) -> LayoutDOM:
    return Column(children=list(plots), sizing_mode="stretch_width", css_classes=["ws-chart"], spacing=0)


def _frame_css(theme: Theme) -> str:
    return f"""
        :host {{ display: flex; flex-flow: row wrap; align-items: flex-start; width: 100%;
                 container-type: inline-size; background: {theme.paper}; }}
        .ws-chart {{ flex: 1 1 0; min-width: 0; }}
        .ws-legend {{ flex: 0 0 176px; max-width: 176px; overflow: hidden; }}
        {NARROW} {{
            .ws-chart {{ flex: 1 1 100%; }}
            .ws-legend {{ flex: 1 1 100%; max-width: 100%; order: -1; }}
        }}"""


def _values_css(theme: Theme) -> str:
    return f"""
        :host {{ box-sizing: border-box; padding: 6px 12px; font: 12.5px {FONT}; color: {theme.text};
                 font-variant-numeric: tabular-nums; }}
        .bk-clearfix > div {{ display: flex; justify-content: space-between; gap: 8px; padding: 5px 0;
                              border-bottom: 1px solid {theme.grid}; white-space: nowrap; }}
        .bk-clearfix {{ width: 100%; }}
        span {{ color: {theme.muted}; min-width: 0; overflow: hidden; text-overflow: ellipsis; }}
        b {{ font-weight: 400; }}
        .time {{ color: {theme.accent}; font-weight: 600; }}
        .up {{ color: {theme.up}; }}
        .down {{ color: {theme.down}; }}
        {NARROW} {{
            .bk-clearfix {{ display: flex !important; width: 100%; flex-flow: row wrap; gap: 2px 12px; }}
            .bk-clearfix > div {{ border: 0; padding: 0; gap: 5px; }}
        }}"""
