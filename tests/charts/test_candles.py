"""The candle chart: what its sources hold, what is drawn of them, and that all colours follow the theme."""

import math

import numpy as np
import pandas as pd
import pytest
from bokeh.models import GlyphRenderer, LinearColorMapper

from tests.charts.series import EVIL, START_NS, some_bars, utc
from workstation.charts.candles import candles
from workstation.charts.shown import restyle, standalone_html
from workstation.charts.theme import DARK, LIGHT
from workstation.charts.words import price_decimals
from workstation.errors import BadInput
from workstation.model.durations import MINUTE_NS


def some_fills(**changes: object) -> pd.DataFrame:
    columns = {"time": utc([90, 150]), "price": [1.0, 2.0], "side": ["buy", "sell"], "quantity": [0.5, 0.25]}
    return pd.DataFrame(columns | {"label": ["entry", EVIL]} | changes)


def some_orders(**changes: object) -> pd.DataFrame:
    columns = {"price": [3.0, 4.0], "side": ["sell", "buy"], "quantity": [0.5, 0.25], "kind": ["stop", "entry"]}
    return pd.DataFrame(columns | {"label": ["stop", ""]} | changes)


def test_the_source_of_bars_has_a_body_as_middle_and_height() -> None:
    bars = some_bars(20)
    chart = candles(bars)
    held = chart.bars.data
    assert chart.bars.name == "candles"
    assert held["t"].tolist() == (bars.ts_open / 1e6).tolist()
    for name, column in zip("ohlcv", (bars.open, bars.high, bars.low, bars.close, bars.volume), strict=True):
        assert held[name].tolist() == column.tolist()
    assert np.allclose(held["mid"] + held["height"] / 2, np.maximum(bars.open, bars.close))
    assert held["rise"].tolist() == (bars.close >= bars.open).astype(float).tolist()


def test_a_table_draws_what_bars_draw() -> None:
    bars = some_bars(30)
    names = ("open", "high", "low", "close", "volume")
    table = pd.DataFrame({name: getattr(bars, name) for name in names}, index=utc(np.arange(30) * 60))
    assert all(
        np.array_equal(candles(bars).bars.data[name], column) for name, column in candles(table).bars.data.items()
    )
    assert candles(table).interval_ns == MINUTE_NS


def test_fills_and_orders_keep_their_words() -> None:
    chart = candles(some_bars(5), fills=some_fills(), orders=some_orders())
    assert chart.fills.data["time"].tolist() == [START_NS / 1e6 + 90_000, START_NS / 1e6 + 150_000]
    assert chart.fills.data["side"].tolist() == ["buy", "sell"]
    assert chart.orders.data["words"].tolist() == ["▼ sell 0.5 · stop", "▲ buy 0.25"]
    assert chart.orders.data["short"].tolist() == ["▼ stop", "▲ 0.25"]
    assert candles(some_bars(5)).orders.data["price"].tolist() == []


def test_buys_and_sells_differ_in_shape_and_colour() -> None:
    chart = candles(some_bars(5), fills=some_fills())
    marks = [one.glyph for one in chart.price.renderers if one.data_source is chart.fills]
    assert [mark.fill_color for mark in marks] == [LIGHT.up, LIGHT.down]
    shapes = [next(iter(mark.defs.values())).code for mark in marks]
    assert shapes[0] != shapes[1]


def test_a_line_has_one_value_for_each_bar_also_where_bars_are_put_together() -> None:
    bars = some_bars(100)
    chart = candles(bars, lines={"mean": np.arange(100.0)}, most=10)
    assert chart.interval_ns == 15 * MINUTE_NS
    assert chart.lines.data["mean"].tolist() == [14.0, 29.0, 44.0, 59.0, 74.0, 89.0, 99.0]
    assert chart.lines.data["t"].tolist() == chart.bars.data["t"].tolist()


def test_bars_that_were_put_together_say_so() -> None:
    assert candles(some_bars(100), most=10).price.title.text == "each candle: 15 min (100 bars of 1 min)"
    assert not candles(some_bars(10)).price.title.text


def test_only_the_newest_bars_are_in_sight_at_first() -> None:
    bars = some_bars(500)
    part, whole = candles(bars, shown=100), candles(bars, shown=None)
    assert bars.ts_open[399] / 1e6 <= part.price.x_range.start <= bars.ts_open[400] / 1e6
    assert whole.price.x_range.start < bars.ts_open[0] / 1e6
    assert part.price.x_range.end > bars.ts_open[-1] / 1e6
    assert part.price.x_range is part.volume.x_range


def test_both_panels_share_one_upright_crosshair() -> None:
    chart = candles(some_bars(5))
    uprights = [
        tool.overlay[1] for plot in (chart.price, chart.volume) for tool in plot.tools if hasattr(tool, "overlay")
        if isinstance(tool.overlay, tuple)
    ]  # fmt: skip
    assert len(uprights) == 2 and uprights[0] is uprights[1]


def test_all_candles_share_one_colour_mapper() -> None:
    chart = candles(some_bars(5))
    assert len(list(chart.layout.select({"type": LinearColorMapper}))) == 1


def test_a_restyled_chart_is_the_chart_of_the_other_theme() -> None:
    def painted(theme_first: object, then: object | None) -> list[tuple[str, object]]:
        chart = candles(
            some_bars(5), fills=some_fills(), orders=some_orders(), lines={"m": np.ones(5)}, theme=theme_first
        )
        if then is not None:
            restyle(chart, then)
        return [(paint.attribute, getattr(paint.model, paint.attribute)) for paint in chart.paints]

    assert painted(LIGHT, DARK) == painted(DARK, None)
    assert painted(LIGHT, None) != painted(DARK, None)


def test_no_colour_of_the_light_theme_is_left_in_a_dark_chart() -> None:
    chart = candles(some_bars(5), fills=some_fills(), orders=some_orders(), lines={"m": np.ones(5)}, theme=DARK)
    page = chart._repr_mimebundle_()["text/html"]
    assert DARK.up in page
    for name in ("paper", "up", "down", "grid", "muted", "accent"):
        assert f'"{getattr(LIGHT, name)}"' not in page


def test_what_moves_moves_without_python() -> None:
    chart = candles(some_bars(5), orders=some_orders())
    for model in chart.layout.references():
        assert not model._callbacks and not model._event_callbacks, model


def test_the_page_may_draw_its_own_legend() -> None:
    with_one, without = candles(some_bars(5)), candles(some_bars(5), legend=False)
    assert len(with_one.layout.children) == 2
    assert without.layout.children == [without.price, without.volume]


def test_an_empty_chart_is_drawn_and_waits() -> None:
    chart = candles(some_bars(0))
    assert len(chart.bars.data["t"]) == 0
    assert "<div" in standalone_html(chart, "empty")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"bars": pd.DataFrame({"open": [1.0]})}, "bars: no column high, low, close, volume"),
        ({"bars": [1, 2]}, "bars list: expected a table of pandas with columns open"),
        ({"lines": {"m": [1.0]}}, "line m: 1 values for 5 bars: expected one for each bar"),
        ({"lines": {"t": np.ones(5)}}, "line t: the name of the time column"),
        ({"fills": some_fills(side=["buy", "long"])}, "fills: side 'long': expected one of buy, sell"),
        ({"fills": some_fills(time=["soon", "later"])}, "fills: time .'soon'.: expected times"),
        ({"orders": some_orders(kind=["stop", "limit"])}, "orders: kind 'limit': expected one of entry, stop, target"),
        ({"most": 0}, "most 0: expected room for 1 points or more"),
    ],
)
def test_what_cannot_be_drawn_is_named(words: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        candles(**({"bars": some_bars(5)} | words))  # type: ignore[arg-type]


def test_bars_out_of_order_are_refused() -> None:
    names = ("open", "high", "low", "close", "volume")
    table = pd.DataFrame({name: [1.0, 2.0] for name in names}, index=utc([60, 0]))
    with pytest.raises(BadInput, match="bars: times do not ascend"):
        candles(table)
    with pytest.raises(BadInput, match="bars: index of int64: expected times"):
        candles(table.reset_index(drop=True))


def test_every_renderer_is_drawn_from_a_named_source_or_a_constant() -> None:
    chart = candles(some_bars(5), fills=some_fills(), orders=some_orders(), lines={"m": np.ones(5)})
    names = {one.data_source.name for one in chart.layout.select({"type": GlyphRenderer})}
    assert names == {"candles", "fills", "orders", "lines"}


def test_decimals_are_those_of_the_prices() -> None:
    assert price_decimals(np.array([50_000.1, 50_000.0])) == 1
    assert price_decimals(np.array([0.12345, math.nan])) == 5
    assert price_decimals(np.array([])) == 0
    assert price_decimals(np.array([1 / 3])) == 8
