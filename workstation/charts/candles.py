"""The candle chart: bars over volume, what was filled, what rests, and lines beside them.

The page streams and patches the sources; the browser does the rest (`scripts/fit.js`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from bokeh.models import ColumnDataSource, CustomJS, LinearColorMapper, NumeralTickFormatter, Range1d
from bokeh.models.annotations import Label, Span, Title
from bokeh.plotting import figure
from bokeh.transform import dodge, transform

from workstation.charts.downsampling import downsample_bars
from workstation.charts.legend import column_of, with_legend
from workstation.charts.marks import draw_fills, draw_orders
from workstation.charts.panels import (
    UTC,
    axis_tag,
    digits,
    number_axis,
    panel,
    script,
    share_crosshair,
    show_cross_value,
    source_of,
    tick_about,
)
from workstation.charts.shown import Chart
from workstation.charts.tables import bar_columns, bars_of, fill_columns, line_columns, order_columns
from workstation.charts.theme import FONT, LIGHT, Brush, Theme
from workstation.charts.words import length_words, price_decimals
from workstation.model.durations import MS_NS
from workstation.model.market import (
    Bars,
)

MOST = 3_000
"""Bars of one chart; more would be narrower than a pixel."""
SHOWN = 160
"""Bars in sight at first."""
GUTTER = 16
"""Empty bars behind the last one, where labels stand."""
BODY = 0.72
"""Of the interval, the body's width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleChart(Chart):
    """Candles over volume. The sources are named "candles", "fills", "orders" and "lines"; times in them are ms UTC."""

    price: figure
    volume: figure
    x_range: Range1d
    """Of both panels; other charts may move with it."""
    bars: ColumnDataSource
    fills: ColumnDataSource
    orders: ColumnDataSource
    lines: ColumnDataSource
    interval_ns: int
    """Of each bar drawn: longer than the given ones' where they were put together."""


def candles(
    bars: Bars | pd.DataFrame,
    *,
    fills: pd.DataFrame | None = None,
    orders: pd.DataFrame | None = None,
    lines: Mapping[str, Any] | pd.DataFrame | None = None,
    theme: Theme = LIGHT,
    height: int = 520,
    decimals: int | None = None,
    most: int = MOST,
    shown: int | None = SHOWN,
    legend: bool = True,
    zone: str = UTC,
) -> CandleChart:
    """Candles over volume; more than `most` bars are put together, and the chart says so.

    `bars`: a table by opening with open, high, low, close, volume. `fills`: time, price, side, quantity, and a label;
    `orders`: price, side, quantity, kind (entry, stop, target), and a label. `lines`: one value for each bar, by name.
    `shown`: the newest bars in sight at first; None is all of them. `zone`: "UTC", "local" (the browser's), or a name
    such as "Europe/Zurich". Raises BadInput.
    """
    given = bars_of(bars)
    drawn = downsample_bars(given, most)
    decimals = price_decimals(drawn.close) if decimals is None else decimals
    brush = Brush(theme)
    x_range = _x_range(drawn, shown)
    price = panel(x_range, height - height // 4, brush, zone, has_dates=False)
    volume = panel(x_range, height // 4, brush, zone)
    sources = _sources(given, drawn, fills, orders, lines)
    rise = LinearColorMapper(low=0, high=1)
    brush.paint(rise, palette=("down", "up"))
    _draw_bars(price, volume, sources["candles"], drawn, rise)
    names = _draw_lines(price, sources["lines"], drawn, brush)
    words = draw_orders(price, sources["orders"], brush)
    draw_fills(price, sources["fills"], decimals, brush)
    number_axis(price, decimals)
    _say_length(price, given, drawn, brush)
    share_crosshair([price, volume], brush)
    show_cross_value(price, brush, decimals)
    told = {"bars": sources["candles"], "lines": sources["lines"], "names": names, "digits": digits(decimals)}
    told |= {"zone": zone, "interval": _length_ms(drawn)}
    fitted = told | {"orders": sources["orders"], "words": words, "rise": rise, "shown": shown}
    _fit(price, volume, fitted, drawn, brush)
    panels = [price, volume]
    return CandleChart(
        layout=with_legend(panels, script("legend"), told, brush) if legend else column_of(panels),
        paints=tuple(brush.paints),
        price=price,
        volume=volume,
        x_range=x_range,
        bars=sources["candles"],
        fills=sources["fills"],
        orders=sources["orders"],
        lines=sources["lines"],
        interval_ns=drawn.interval_ns,
    )


def _sources(
    given: Bars,
    drawn: Bars,
    fills: pd.DataFrame | None,
    orders: pd.DataFrame | None,
    lines: Mapping[str, Any] | pd.DataFrame | None,
) -> dict[str, ColumnDataSource]:
    columns = {
        "candles": bar_columns(drawn),
        "fills": fill_columns(fills),
        "orders": order_columns(orders),
        "lines": line_columns({} if lines is None else lines, given, drawn),
    }
    return {name: source_of(data, name) for name, data in columns.items()}


def _length_ms(bars: Bars) -> float:
    return bars.interval_ns / MS_NS


def _x_range(bars: Bars, shown: int | None) -> Range1d:
    if not len(bars):
        return Range1d(start=0, end=1)
    first = 0 if shown is None else max(0, len(bars) - shown)
    in_sight = len(bars) - first
    gutter = max(2, min(GUTTER, in_sight // 8)) if shown is None else max(2, in_sight * GUTTER // SHOWN)
    length = _length_ms(bars)
    return Range1d(start=bars.ts_open[first] / MS_NS - length, end=bars.ts_open[-1] / MS_NS + length * (1 + gutter))


def _draw_bars(price: figure, volume: figure, source: ColumnDataSource, bars: Bars, rise: LinearColorMapper) -> None:
    """Each bar over the time that it covers. A body is a rect, as a vbar off the screen smears over the left edge; its
    outline gives a height to a bar that closes where it opened."""
    length, colour = _length_ms(bars), transform("rise", rise)
    middle = dodge("t", length / 2)
    price.segment(middle, "l", middle, "h", source=source, color=colour, line_width=1)
    price.rect(
        middle, "mid", length * BODY, "height", source=source, fill_color=colour, line_color=colour, line_width=1
    )
    volume.quad(
        left=dodge("t", length * (1 - BODY) / 2), right=dodge("t", length * (1 + BODY) / 2), bottom=0, top="v",
        source=source, fill_color=colour, fill_alpha=0.5, line_color=None,
    )  # fmt: skip
    tick_about(volume, 2)
    volume.yaxis.formatter = NumeralTickFormatter(format="0.[0]a")


def _draw_lines(price: figure, source: ColumnDataSource, bars: Bars, brush: Brush) -> list[Label]:
    """Lines through the middles of the bars; returns their names, which the browser puts at their ends."""
    labels = []
    for place, name in enumerate(str(name) for name in source.data if name != "t"):
        line = price.line(dodge("t", _length_ms(bars) / 2), name, source=source, line_width=1.5)
        label = Label(
            x=0, y=0, text=name, name=name, x_offset=4, text_baseline="middle", text_font=FONT, text_font_size="11px",
            visible=False,
        )  # fmt: skip
        price.add_layout(label)
        brush.paint(line.glyph, line_color=f"series.{place}")
        brush.paint(label, text_color=f"series.{place}")
        labels.append(label)
    return labels


def _say_length(price: figure, given: Bars, drawn: Bars, brush: Brush) -> None:
    if drawn.interval_ns == given.interval_ns:
        return
    words = f"each candle: {length_words(drawn.interval_ns)} ({len(given):,} bars of {length_words(given.interval_ns)})"
    title = Title(text=words, text_font=FONT, text_font_size="11px", text_font_style="normal")
    price.title = title
    brush.paint(title, text_color="muted")


def _fit(price: figure, volume: figure, told: dict[str, Any], bars: Bars, brush: Brush) -> None:
    """The y ranges follow what is in sight, in the browser."""
    last_line = Span(dimension="width", line_width=1, line_dash="dotted", location=0.0)
    price.add_layout(last_line)
    last_tag = axis_tag(price, brush, "up")
    brush.paint(last_line, line_color="up")
    last_line.visible = last_tag.visible = len(bars) > 0
    last_seen = ColumnDataSource({"t": bars.ts_open[-1:] / MS_NS})
    x, y, volume_y = price.x_range, price.y_range, volume.y_range
    script_args = {"x": x, "y": y, "volume_y": volume_y, "plot": price, "last_line": last_line, "last_tag": last_tag}
    fit = CustomJS(args={**told, **script_args, "last_seen": last_seen}, code=script("fit"))
    for one in ("start", "end"):
        x.js_on_change(one, fit)
    for event in ("patching", "streaming", "change:data"):
        told["bars"].js_on_change(event, fit)
    told["orders"].js_on_change("change:data", fit)
    price.js_on_change("inner_width", fit)
