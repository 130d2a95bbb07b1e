"""Charts as a person sees them: values under the crosshair, ranges that follow, words from outside as text."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.browsing import opened
from tests.charts.series import EVIL, START_NS, some_bars, some_spreads, utc
from workstation.charts.candles import candles
from workstation.charts.equity import equity
from workstation.charts.shown import Chart, stacked
from workstation.charts.spread import spread
from workstation.model.durations import MINUTE_NS


def a_file(folder: Path, chart: Chart) -> Path:
    return chart.save(folder / "chart.html", EVIL)


def laid_out(page: Any) -> Any:
    """The legend, which is written once the chart is laid out."""
    legend = page.locator(".ws-legend").first
    legend.locator("b").first.wait_for()
    return legend


def value(legend: Any, name: str) -> str:
    return str(legend.locator("div > div", has_text=name).locator("b").first.inner_text())


@pytest.mark.parametrize("width", [390, 1440])
def test_every_chart_is_drawn_without_a_network_and_without_a_complaint(tmp_path: Path, width: int) -> None:
    curve = pd.DataFrame({"equity_quote": [1.0, 2.0, 1.5]}, index=utc([0, 60, 120]))
    chart = stacked(candles(some_bars(300)), spread(some_spreads(z=[0.0, 1.0, 2.0])), equity(curve))
    file = a_file(tmp_path, chart)
    with opened(file, width) as (page, asked, said):
        laid_out(page)
        assert asked == [file.as_uri()]
        assert said == []
        assert page.locator("canvas").count() >= 7
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_names_from_outside_make_no_element(tmp_path: Path) -> None:
    bars = some_bars(50)
    fills = pd.DataFrame(
        {"time": utc([2_900]), "price": bars.close[-2:-1], "side": "buy", "quantity": 1, "label": EVIL}
    )
    orders = pd.DataFrame({"price": bars.close[-1:], "side": "sell", "quantity": 1, "kind": "stop", "label": EVIL})
    chart = stacked(
        candles(bars, fills=fills, orders=orders, lines={EVIL: bars.close}),
        spread(some_spreads(z=[0.0, 1.0]), names=(EVIL, "orion")),
    )
    with opened(a_file(tmp_path, chart)) as (page, _, said):
        legend = laid_out(page)
        box = page.locator("canvas").first.bounding_box()
        for x in range(int(box["x"]) + 20, int(box["x"] + box["width"]) - 80, 40):
            page.mouse.move(x, box["y"] + box["height"] / 2)
        assert legend.locator("span", has_text=EVIL).count() == 1
        assert page.locator("img").count() == 0
        assert said == []


def test_the_legend_tells_the_bar_under_the_crosshair(tmp_path: Path) -> None:
    bars = some_bars(100)
    with opened(a_file(tmp_path, candles(bars, shown=None))) as (page, _, _):
        legend = laid_out(page)
        assert value(legend, "close") == f"{bars.close[-1]:,.1f}"
        box = page.locator("canvas").first.bounding_box()
        page.mouse.move(box["x"] + 40, box["y"] + 100)
        assert value(legend, "close") in {f"{close:,.1f}" for close in bars.close[:10]}


def test_the_price_range_follows_what_is_in_sight(tmp_path: Path) -> None:
    bars = some_bars(400)
    bars.high[5] = 99_000.0
    chart = candles(bars, shown=100)
    path = a_file(tmp_path, chart)
    with opened(path) as (page, _, _):
        laid_out(page)
        y = f"Bokeh.documents[0].get_model_by_id('{chart.price.y_range.id}')"
        x = f"Bokeh.documents[0].get_model_by_id('{chart.price.x_range.id}')"
        shown = bars.high[300:].max()
        assert shown < page.evaluate(f"{y}.end") < shown * 1.01
        page.evaluate(f"{x}.setv({{start: {START_NS / 1e6}}})")
        assert page.evaluate(f"{y}.end") > 99_000.0


def test_a_phone_shows_as_many_bars_as_it_has_room_for_and_a_wider_screen_more_until_one_zooms(tmp_path: Path) -> None:
    chart = candles(some_bars(400))
    with opened(a_file(tmp_path, chart), width=390) as (page, _, _):
        laid_out(page)
        x = f"Bokeh.documents[0].get_model_by_id('{chart.price.x_range.id}')"

        def minutes() -> float:
            return float(page.evaluate(f"({x}.end - {x}.start) / 60000"))

        narrow = minutes()
        assert 20 < narrow < 90
        page.set_viewport_size({"width": 1440, "height": 800})
        page.wait_for_function(f"({x}.end - {x}.start) / 60000 > {2 * narrow}")
        wide = minutes()
        page.evaluate(f"{x}.setv({{start: {x}.start + 60000 * 40}})")
        room = f"Bokeh.documents[0].get_model_by_id('{chart.price.id}').inner_width"
        before = page.evaluate(room)
        page.set_viewport_size({"width": 1200, "height": 800})
        page.wait_for_function(f"{room} < {before} - 100")
        assert minutes() == pytest.approx(wide - 40)


def test_a_new_bar_moves_the_price_tag_and_stays_in_sight(tmp_path: Path) -> None:
    bars = some_bars(200)
    chart = candles(bars)
    with opened(a_file(tmp_path, chart)) as (page, _, said):
        legend = laid_out(page)
        document = "Bokeh.documents[0]"
        end = page.evaluate(f"{document}.get_model_by_id('{chart.price.x_range.id}').end")
        t = bars.ts_open[-1] / 1e6 + MINUTE_NS / 1e6
        bar = {"t": t, "o": 1.0, "h": 3.0, "l": 1.0, "c": 2.5, "v": 7.0, "mid": 1.75, "height": 1.5, "rise": 1.0}
        page.evaluate(f"bar => {document}.get_model_by_name('candles').stream(bar)", {k: [v] for k, v in bar.items()})
        moved = page.evaluate(f"{document}.get_model_by_id('{chart.price.x_range.id}').end")
        assert moved - end == MINUTE_NS / 1e6
        tags = page.evaluate(f"[...{document}._all_models.values()].filter(m => m.type == 'Label').map(m => m.text)")
        assert "2.5" in tags
        assert legend.is_visible() and said == []


def test_a_fall_under_the_crosshair_is_told_in_percent(tmp_path: Path) -> None:
    curve = pd.DataFrame({"equity_quote": np.array([100.0, 110.0, 99.0])}, index=utc([0, 60, 120]))
    with opened(a_file(tmp_path, equity(curve))) as (page, _, _):
        legend = laid_out(page)
        assert (value(legend, "return"), value(legend, "drawdown")) == ("−1.00 %", "−10.00 %")


def test_bars_that_come_before_the_chart_is_laid_out_are_no_complaint(tmp_path: Path) -> None:
    chart = candles(some_bars(400))
    with opened(a_file(tmp_path, chart)) as (page, _, said):
        laid_out(page)
        page.evaluate(
            """([plot, bars]) => {
                const model = Bokeh.documents[0].get_model_by_id(plot), fresh = new model.constructor()
                for (const name of ["inner_width", "inner_height"]) // as they are before the first layout
                    model.properties[name]._value = fresh.properties[name]._value
                if (!model.properties.inner_width.is_unset) throw new Error("it is laid out")
                const source = Bokeh.documents[0].get_model_by_id(bars)
                return Promise.all(source.js_property_callbacks["change:data"].map((told) => told.execute(source)))
            }""",
            [chart.price.id, chart.bars.id],
        )
        assert said == []
