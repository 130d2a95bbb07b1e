"""Equity over drawdown: returns from the beginning, falls from the highest so far, the deepest one marked."""

import numpy as np
import pandas as pd
import pytest
from bokeh.models.annotations import Label

from tests.charts.series import START_NS, utc
from workstation.charts.equity import EquityChart, equity
from workstation.errors import BadInput


def curve(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"equity_quote": values}, index=utc(np.arange(len(values)) * 60))


def marks(chart: EquityChart) -> list[str]:
    return [label.text for label in chart.drawdown.select({"type": Label}) if "%" in label.text and "−" in label.text]


def test_returns_and_falls_are_in_percent() -> None:
    held = equity(curve(100.0, 110.0, 99.0, 121.0)).source.data
    assert held["return_percent"] == pytest.approx([0.0, 10.0, -1.0, 21.0])
    assert held["drawdown_percent"] == pytest.approx([0.0, 0.0, -10.0, 0.0])
    assert held["t"].tolist() == [START_NS / 1e6 + 60_000 * minute for minute in range(4)]


def test_a_loss_before_the_first_value_counts() -> None:
    held = equity(curve(95.0, 97.0), initial=100.0).source.data
    assert held["return_percent"] == pytest.approx([-5.0, -3.0])
    assert held["drawdown_percent"] == pytest.approx([-5.0, -3.0])


def test_the_deepest_fall_is_marked_from_its_high_to_its_end() -> None:
    chart = equity(curve(100.0, 110.0, 99.0, 105.0, 108.0))
    assert marks(chart) == ["−10.00 %"]
    strips = [one.glyph for one in chart.curve.renderers if type(one.glyph).__name__ == "VStrip"]
    assert len(strips) == 1
    source = next(one.data_source for one in chart.curve.renderers if one.glyph is strips[0])
    ends = [column[0] for column in source.data.values()]
    assert ends == [START_NS / 1e6 + 60_000, START_NS / 1e6 + 120_000]


def test_equity_that_never_fell_has_no_mark() -> None:
    assert marks(equity(curve(100.0, 101.0))) == []
    assert marks(equity(curve())) == []


def test_both_panels_share_one_axis_of_time() -> None:
    chart = equity(curve(100.0, 101.0))
    assert chart.curve.x_range is chart.drawdown.x_range
    below = equity(curve(*[100.0 + step for step in range(10)]), x_range=chart.curve.x_range)
    assert below.curve.x_range is chart.curve.x_range
    assert len(below.source.data["t"]) == 2  # no more than the other chart shows


def test_of_many_points_the_deepest_is_kept() -> None:
    values = np.full(100_000, 100.0)
    values[54_321] = 60.0
    chart = equity(curve(*values), most=500)
    assert len(chart.source.data["t"]) <= 500
    assert marks(chart) == ["−40.00 %"]


def test_a_table_without_equity_is_named() -> None:
    with pytest.raises(BadInput, match="equity: no column equity_quote"):
        equity(pd.DataFrame({"equity": [1.0]}, index=utc([0])))
