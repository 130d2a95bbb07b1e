"""The spread chart and its opportunities: gaps stay gaps, spans are those of all rows."""

import math

import numpy as np
import pandas as pd
import pytest

from tests.charts.series import EVIL, START_NS, some_spreads, utc
from workstation.charts.opportunities import opportunities
from workstation.charts.shown import restyle, standalone_html
from workstation.charts.spread import spread
from workstation.charts.theme import DARK
from workstation.errors import BadInput

NAN = math.nan


def test_the_source_has_the_columns_of_the_page() -> None:
    frame = some_spreads(spread_bps=[1.0, 2.0, 3.0], z=[0.1, 0.2, 0.3], net_edge_ab_bps=[-1.0, 0.5, -2.0])
    chart = spread(frame)
    held = chart.source.data
    assert chart.source.name == "spread"
    assert set(held) == {"t", "spread", "mean", "upper", "lower", "net_edge_ab", "net_edge_ba", "z"}
    assert held["t"].tolist() == [START_NS / 1e6 + 1_000 * second for second in range(3)]
    assert (held["spread"].tolist(), held["net_edge_ab"].tolist()) == ([1.0, 2.0, 3.0], [-1.0, 0.5, -2.0])
    assert chart.bands.x_range is chart.edges.x_range is chart.z.x_range


def test_a_gap_breaks_the_lines_and_closes_the_band() -> None:
    frame = some_spreads(spread_bps=[1.0, NAN, 3.0], mean_bps=[0.5, 0.5, 0.5], upper_bps=[2.0] * 3)
    held = spread(frame).source.data
    assert np.isnan(held["spread"]).tolist() == [False, True, False]
    assert np.isnan(held["mean"]).tolist() == [False, True, False]
    assert held["upper"].tolist() == [2.0, 0.5, 2.0]
    assert held["lower"].tolist() == [-1.0, 0.5, -1.0]


def test_a_span_lasts_while_the_net_edge_is_over_the_threshold() -> None:
    frame = some_spreads(net_edge_ab_bps=[1.0, 2.0, 0.0, NAN, 1.0], net_edge_ba_bps=[0.0, 3.0, NAN, 0.0, 0.0])
    found = opportunities(frame)
    assert found["side"].tolist() == ["ab", "ba", "ab"]
    assert found["start"].tolist() == utc([0, 1, 4]).tolist()
    assert found["end"].tolist() == utc([2, 2, 4]).tolist()
    assert found["peak_bps"].tolist() == [2.0, 3.0, 1.0]
    assert found["seconds"].tolist() == [2.0, 1.0, 0.0]
    assert opportunities(frame, 2.5)["side"].tolist() == ["ba"]


def test_without_an_edge_there_is_no_opportunity() -> None:
    for frame in (some_spreads(z=[0.0, 0.0]), some_spreads(z=[0.0]).iloc[:0]):
        found = opportunities(frame)
        assert list(found) == ["start", "end", "side", "peak_bps", "seconds"]
        assert found.empty
        assert len(spread(frame).spans.data["start"]) == 0


def test_of_many_rows_the_spikes_and_all_spans_are_drawn() -> None:
    edge = np.full(50_000, -5.0)
    edge[12_345] = 7.0
    frame = some_spreads(net_edge_ab_bps=edge.tolist())
    chart = spread(frame, most=1_000)
    assert len(chart.source.data["t"]) <= 1_000
    assert chart.source.data["net_edge_ab"].max() == 7.0
    assert chart.spans.data["start"].tolist() == [START_NS / 1e6 + 12_345_000]
    assert chart.spans.data["end"].tolist() == [START_NS / 1e6 + 12_346_000]


def test_names_from_outside_stand_as_text() -> None:
    chart = spread(some_spreads(z=[0.0, 1.0]), names=(EVIL, "orion"))
    assert EVIL not in standalone_html(chart, "spread")


def test_a_spread_in_the_other_theme_has_its_colours() -> None:
    chart = spread(some_spreads(z=[0.0, 1.0]))
    restyle(chart, DARK)
    other = spread(some_spreads(z=[0.0, 1.0]), theme=DARK)
    assert [getattr(p.model, p.attribute) for p in chart.paints] == [
        getattr(p.model, p.attribute) for p in other.paints
    ]


def test_a_table_without_the_columns_is_named() -> None:
    with pytest.raises(BadInput, match="spreads: no column net_edge_ab_bps"):
        spread(pd.DataFrame({"spread_bps": [1.0]}, index=utc([0])))
    with pytest.raises(BadInput, match="spreads: no column net_edge_ab_bps"):
        opportunities(pd.DataFrame({"spread_bps": [1.0]}, index=utc([0])))
