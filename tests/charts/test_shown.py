"""How a chart reaches a page: with its library inside, and nothing asked of the internet."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from bokeh.model import Model

from tests.charts.series import EVIL, some_bars, some_spreads, utc
from workstation.charts.candles import candles
from workstation.charts.equity import equity
from workstation.charts.shown import Chart, restyle, stacked, standalone_html
from workstation.charts.spread import spread
from workstation.charts.theme import DARK, LIGHT

ASKS = re.compile(r"""<(?:script|link|img|iframe)[^>]*(?:src|href)\s*=\s*["']?(?!data:)[\w/.]|@import|url\(["']?http""")


def all_charts() -> list[Chart]:
    curve = pd.DataFrame({"equity_quote": [1.0, 2.0, 1.5]}, index=utc([0, 1, 2]))
    return [candles(some_bars(30)), spread(some_spreads(z=[0.0, 1.0])), equity(curve)]


def test_a_page_asks_nothing_of_the_internet() -> None:
    for chart in all_charts():
        page = standalone_html(chart, "chart")
        assert not ASKS.findall(page)
        assert "Bokeh" in page
    for asking in ("https://cdn.bokeh.org/x.js", "//cdn.bokeh.org/x.js", "static/x.js"):
        assert ASKS.search(f'<script src="{asking}">')


def test_a_page_asks_for_nothing_of_what_else_is_imported(tmp_path: Path) -> None:
    """Models of another library, as a dashboard's in the same process, name files of their own."""
    foreign = type("Foreign", (Model,), {"__javascript__": ["static/foreign.js"], "__css__": ["static/foreign.css"]})
    try:
        page = all_charts()[0].save(tmp_path / "chart.html").read_text("utf-8")
    finally:
        del Model.model_class_reverse_map[foreign.__qualified_model__]
    assert "static/foreign" not in page


def test_the_title_of_a_page_is_text() -> None:
    page = standalone_html(all_charts()[0], EVIL)
    assert EVIL not in page


def test_a_notebook_gets_the_chart_as_the_last_line_of_a_cell() -> None:
    for chart in all_charts():
        bundle = chart._repr_mimebundle_()
        assert bundle["text/plain"] == type(chart).__name__
        assert "<script" in bundle["text/html"]
        assert not ASKS.findall(bundle["text/html"])


def test_charts_below_one_another_are_one() -> None:
    charts = all_charts()
    both = stacked(*charts[:2])
    assert both.layout.children == [chart.layout for chart in charts[:2]]
    restyle(both, DARK)
    assert all(plot.background_fill_color == DARK.paper for plot in (charts[0].price, charts[1].bands))


def luminance(colour: str) -> float:
    parts = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_text_can_be_read_in_both_themes() -> None:
    for theme in (LIGHT, DARK):
        for ink in (theme.text, theme.muted, theme.accent, theme.up, theme.down, *theme.series):
            assert contrast(ink, theme.paper) >= 4.5, (theme.name, ink)
        for ground in (theme.up, theme.down, theme.accent):
            assert contrast(theme.on_colour, ground) >= 4.5, (theme.name, ground)
        assert contrast(theme.paper, theme.tag) >= 4.5
