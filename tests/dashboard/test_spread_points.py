"""The series of a spread's chart: seconds, gaps, what is kept, and what viewers are told."""

import math

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard.spread_views import a_spread
from workstation.charts.spread import spread_columns
from workstation.dashboard.spread_points import Point, SpreadPoints, gap_at, point_of

KEPT_MS, GAP_MS = 60_000, 10_000


def a_point(t: int, spread: float = 1.0) -> Point:
    return Point(t, spread, 0.0, 2.0, -2.0, -10.0, -12.0, 0.5)


def some_points(*points: Point) -> SpreadPoints:
    series = SpreadPoints(KEPT_MS, GAP_MS)
    for point in points:
        series.put(point)
    return series


def test_the_last_word_of_a_second_is_its_point() -> None:
    series = some_points(a_point(1_000, 1.0), a_point(1_400, 2.0), a_point(1_999, 3.0), a_point(2_000, 4.0))
    assert series.columns()["t"] == [1_999, 2_000]
    assert series.columns()["spread"] == [3.0, 4.0]


def test_a_word_from_before_the_last_is_of_no_use() -> None:
    assert some_points(a_point(5_000, 1.0), a_point(4_000, 2.0)).columns()["spread"] == [1.0]


def test_a_jump_in_time_is_a_gap_that_begins_when_the_last_word_became_stale() -> None:
    series = some_points(a_point(1_000), a_point(30_000))
    assert series.columns()["t"] == [1_000, 11_000, 30_000]
    assert math.isnan(series.columns()["spread"][1])


def test_one_gap_is_enough_until_something_is_known_again() -> None:
    series = some_points(a_point(1_000), gap_at(2_000, 0.0), gap_at(9_000, 0.0), gap_at(40_000, 0.0), a_point(41_000))
    assert series.columns()["t"] == [1_000, 2_000, 41_000]


def test_a_gap_within_the_second_of_a_point_stands_beside_it() -> None:
    assert some_points(a_point(1_000), gap_at(1_200, 0.0), a_point(1_300)).columns()["t"] == [1_000, 1_200, 1_300]


def test_two_words_of_one_time_are_one_point() -> None:
    """Else a viewer, who drops by time, could not tell them apart."""
    series = some_points(a_point(1_000), gap_at(1_000, 0.0), a_point(1_000, 5.0))
    assert series.columns()["t"] == [1_000]
    assert series.columns()["spread"] == [5.0]


def test_what_is_older_than_is_kept_is_forgotten() -> None:
    series = some_points(*(a_point(second * 1_000) for second in range(100)))
    assert series.columns()["t"][0] == 99_000 - KEPT_MS


def test_an_empty_series_has_its_columns() -> None:
    assert SpreadPoints(KEPT_MS, GAP_MS).columns() == {name: [] for name in Point._fields}


def test_a_spread_that_is_not_known_closes_the_band_at_its_mean() -> None:
    point = point_of(7, a_spread(spread_bps=None, mean_bps=1.25, upper_bps=3.0, lower_bps=-3.0))
    assert point.is_gap and math.isnan(point.mean)
    assert (point.upper, point.lower) == (1.25, 1.25)


def test_a_live_point_is_drawn_as_the_recorded_one_of_the_same_figures() -> None:
    view = a_spread()
    frame = pd.DataFrame(
        {name: [getattr(view, name)] for name in type(view).model_fields if name.endswith("_bps")} | {"z": [view.z]},
        index=pd.to_datetime([7], unit="ms", utc=True),
    )
    recorded = spread_columns(frame)
    assert point_of(7, view)._asdict() == {name: recorded[name][0] for name in Point._fields}


@given(st.lists(st.tuples(st.integers(0, 25_000), st.booleans(), st.booleans()), max_size=60))
def test_a_viewer_who_takes_every_change_has_what_the_series_has(steps: list[tuple[int, bool, bool]]) -> None:
    series, t, seen = SpreadPoints(KEPT_MS, GAP_MS), 0, list[Point]()
    for step_ms, is_gap, is_told in steps:
        t += step_ms
        series.put(gap_at(t, 0.0) if is_gap else a_point(t, t / 7))
        if is_told:
            after, news = series.changes()
            seen = [one for one in seen if after is not None and one.t <= after] + news
    after, news = series.changes()
    seen = [one for one in seen if after is not None and one.t <= after] + news
    kept = series.columns()["t"]
    assert [one.t for one in seen][-len(kept) :] == kept if kept else not seen
