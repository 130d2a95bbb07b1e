"""The map of coverage: each cell says its share by number, height and colour, and words from outside are text."""

import pandas as pd
import pytest

from tests.charts.series import EVIL
from workstation.charts.quality import coverage, percent_words
from workstation.charts.shown import restyle, standalone_html
from workstation.charts.theme import DARK
from workstation.errors import BadInput


def days_of(shares: dict[str, list[float]], start: str = "2024-05-01") -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "dataset": name,
                "day": pd.date_range(start, periods=len(values), tz="UTC"),
                "rows": 10,
                "coverage": values,
            }
        )
        for name, values in shares.items()
    ]
    return pd.concat(parts, ignore_index=True)


def test_a_cell_says_its_share_by_number_height_and_level() -> None:
    chart = coverage(days_of({"bars a:X/Y 1h": [1.0, 0.999, 0.5, 0.0], "trades b:X/Y": [0.004]}))
    held = chart.source.data
    assert chart.period == "day"
    assert held["period"].tolist() == ["2024-05-01", "2024-05-02", "2024-05-03", "2024-05-04", "2024-05-01"]
    assert held["words"].tolist() == ["100", "99", "50", "0", "<1"]
    assert held["level"].tolist() == [0, 1, 2, 2, 2]
    assert held["bottom"].tolist()[0] == ("bars a:X/Y 1h", -0.45)
    assert [shift for _, shift in held["top"].tolist()] == pytest.approx([0.45, 0.4491, 0.0, -0.45, -0.4464])
    assert chart.plot.y_range.factors == ["trades b:X/Y", "bars a:X/Y 1h"]  # the first one stands above


@pytest.mark.parametrize(
    ("count", "period", "first", "cells"),
    [
        (31, "day", "2024-05-01", 31), (32, "week", "2024-04-29", 5), (300, "month", "2024-05", 10),
        (1200, "quarter", "2024Q2", 14), (4000, "year", "2024", 12),
    ],
)  # fmt: skip
def test_many_days_are_put_together_until_they_fit(count: int, period: str, first: str, cells: int) -> None:
    chart = coverage(days_of({"a": [1.0] * (count - 1) + [0.5]}))
    assert (chart.period, chart.source.data["period"][0], len(chart.source.data["period"])) == (period, first, cells)
    assert chart.source.data["rows"].sum() == 10 * count
    assert chart.source.data["words"][-1] != "100"


def test_only_what_is_whole_is_a_hundred() -> None:
    assert [percent_words(share) for share in (1.0, 0.9999, 0.29, 0.01, 0.0001, 0.0)] == [
        "100",
        "99",
        "29",
        "1",
        "<1",
        "0",
    ]


def test_another_theme_repaints_it_and_strange_names_are_text() -> None:
    chart = coverage(days_of({EVIL: [1.0]}))
    restyle(chart, DARK)
    assert chart.plot.background_fill_color == DARK.paper
    assert EVIL not in standalone_html(chart, "coverage")


def test_no_day_is_an_empty_map() -> None:
    assert len(coverage(days_of({"a": []})).source.data["period"]) == 0


def test_what_is_no_share_is_refused() -> None:
    with pytest.raises(BadInput, match=r"coverage: 1.5 in row 1: expected 0 to 1"):
        coverage(days_of({"a": [1.0, 1.5]}))
    with pytest.raises(BadInput, match="coverage: no column rows"):
        coverage(days_of({"a": [1.0]}).drop(columns="rows"))
