"""Panels of lines over one source: their names, their fit to what is in sight, and the legend's rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bokeh.models import ColumnDataSource, CustomJS, Model, Range
from bokeh.models.annotations import Label, Span
from bokeh.models.nodes import Node
from bokeh.plotting import figure

from workstation.charts.panels import script
from workstation.charts.theme import FONT, Brush


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A panel, and the columns that its y range follows: `least` high, with zero in sight or below it alone."""

    plot: figure
    columns: tuple[str, ...]
    least: float = 0.0
    has_zero: bool = False
    is_below_zero: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A value in the legend; `ink` is the glyph whose colour its name has."""

    name: str
    column: str
    decimals: int = 2
    unit: str = ""
    is_signed: bool = False
    ink: Model | None = None


def fit_lines(x_range: Range, source: ColumnDataSource, panels: Sequence[Fitted]) -> None:
    told = [
        {
            "y": one.plot.y_range,
            "columns": list(one.columns),
            "least": one.least,
            "zero": one.has_zero or one.is_below_zero,
            "place": "below" if one.is_below_zero else "",
        }
        for one in panels
    ]
    fit = CustomJS(args={"source": source, "x": x_range, "panels": told}, code=script("fit_lines"))
    for one in ("start", "end"):
        x_range.js_on_change(one, fit)
    for event in ("patching", "streaming", "change:data"):
        source.js_on_change(event, fit)
    panels[0].plot.js_on_change("inner_width", fit)


def legend_args(source: ColumnDataSource, rows: Sequence[Row], zone: str, *, has_seconds: bool) -> dict[str, Any]:
    """What the script "values" is told."""
    told = [
        {"name": row.name, "column": row.column, "decimals": row.decimals, "unit": row.unit, "signed": row.is_signed}
        for row in rows
    ]
    return {"source": source, "rows": told, "inks": [row.ink for row in rows], "zone": zone, "seconds": has_seconds}


def name_panel(plot: figure, words: str, brush: Brush, *, corner: Literal["top", "bottom"] = "top") -> None:
    """What the panel shows, in a corner at the left."""
    x, y = (Node(target="frame", symbol=symbol) for symbol in ("left", corner))
    label = Label(
        x=x, y=y, x_offset=6, y_offset=-5 if corner == "top" else 5, text=words, text_baseline=corner,
        text_font=FONT, text_font_size="12px",
    )  # fmt: skip
    plot.add_layout(label)
    brush.paint(label, text_color="muted")


def level(plot: figure, value: float, brush: Brush, dash: str = "solid") -> None:
    line = Span(location=value, dimension="width", line_width=1, line_dash=dash, level="underlay")
    plot.add_layout(line)
    brush.paint(line, line_color="muted")
    line.line_alpha = 0.6
