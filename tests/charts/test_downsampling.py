"""Fewer points, nothing lost: bars are aggregated as pandas would, lines keep their spikes and gaps."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.charts.series import START_NS, some_bars
from workstation.charts.downsampling import downsample_bars, downsample_line, places_to_draw
from workstation.errors import BadInput
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from workstation.model.market import (
    Bars,
)

HOW = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}


def with_gaps(bars: Bars, kept: np.ndarray) -> Bars:
    return Bars(interval_ns=bars.interval_ns, **{n: getattr(bars, n)[kept] for n in ("ts_open", *HOW)})


def resampled(bars: Bars, length_ns: int) -> pd.DataFrame:
    """What pandas makes of them, from midnight UTC on, weeks from Monday on."""
    index = pd.DatetimeIndex(bars.ts_open.astype("datetime64[ns]"))
    frame = pd.DataFrame({name: getattr(bars, name) for name in HOW}, index=index)
    origin = pd.Timestamp("1970-01-05") if length_ns % (7 * DAY_NS) == 0 else "epoch"
    return frame.resample(pd.Timedelta(length_ns, "ns"), origin=origin).agg(HOW).dropna(subset=["open"])


@given(
    count=st.integers(1, 400),
    most=st.integers(1, 60),
    interval=st.sampled_from([SECOND_NS, MINUTE_NS, 7 * MINUTE_NS, HOUR_NS, DAY_NS]),
    shift=st.integers(0, 5000),
    seed=st.integers(0, 2**32 - 1),
)
def test_bars_are_what_pandas_makes_of_them_and_no_more_than_asked_for(
    count: int, most: int, interval: int, shift: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    start_ns = START_NS // interval * interval + shift * interval
    bars = with_gaps(some_bars(count, interval_ns=interval, start_ns=start_ns, seed=seed), random.random(count) > 0.2)
    drawn = downsample_bars(bars, most)
    assert len(drawn) <= most
    assert drawn.interval_ns % bars.interval_ns == 0
    expected = resampled(bars, drawn.interval_ns)
    assert drawn.ts_open.tolist() == expected.index.as_unit("ns").asi8.tolist()
    for name in HOW:
        assert np.allclose(getattr(drawn, name), expected[name], rtol=1e-12, atol=0)


@given(count=st.integers(50, 400), most=st.integers(2, 20), start=st.integers(0, 399), length=st.integers(1, 400))
def test_a_part_shows_bars_of_the_whole_series(count: int, most: int, start: int, length: int) -> None:
    bars = some_bars(count)
    start_ns = START_NS + start * MINUTE_NS
    part = downsample_bars(bars, most, start_ns, start_ns + length * MINUTE_NS)
    expected = resampled(bars, part.interval_ns)
    for place, ts_open in enumerate(part.ts_open):
        assert part.volume[place] == pytest.approx(expected["volume"][pd.Timestamp(ts_open)])
    assert len(part) <= most
    in_sight = [ts for ts in bars.ts_open if start_ns <= ts < start_ns + length * MINUTE_NS]
    assert all(any(ts <= one < ts + part.interval_ns for ts in part.ts_open) for one in in_sight)


def test_few_bars_stay_as_they_are() -> None:
    bars = some_bars(10)
    assert downsample_bars(bars, 10).close.tolist() == bars.close.tolist()
    assert len(downsample_bars(bars, 10, START_NS + MINUTE_NS, START_NS + 3 * MINUTE_NS)) == 2


def test_no_bars_and_one_bar_are_drawn_as_such() -> None:
    assert len(downsample_bars(some_bars(0), 5)) == 0
    assert len(downsample_bars(some_bars(1), 1)) == 1
    assert len(downsample_bars(some_bars(9), 5, START_NS + DAY_NS)) == 0


def test_a_million_minutes_become_half_days() -> None:
    bars = some_bars(1_000_000)
    drawn = downsample_bars(bars, 2_000)
    assert (drawn.interval_ns, len(drawn)) == (12 * HOUR_NS, 1_389)
    assert drawn.volume.sum() == pytest.approx(bars.volume.sum())


def test_beyond_the_longest_usual_interval_it_is_whole_weeks() -> None:
    drawn = downsample_bars(some_bars(3_000, interval_ns=DAY_NS), 100)
    assert drawn.interval_ns % (7 * DAY_NS) == 0
    assert pd.Timestamp(drawn.ts_open[5]).day_name() == "Monday"


def test_a_bar_without_a_price_is_left_out() -> None:
    bars = some_bars(20)
    bars.high[3] = math.nan
    assert len(downsample_bars(bars, 20)) == 19
    drawn = downsample_bars(bars, 4)
    assert np.isfinite(drawn.high).all()


@given(
    values=st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=500),
    most=st.integers(5, 80),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_line_keeps_its_extremes_its_ends_and_its_gaps(values: list[float], most: int, seed: int) -> None:
    steps = np.random.default_rng(seed).integers(1, 1_000, len(values))
    times, line = np.cumsum(steps), np.array(values)
    drawn_times, drawn = downsample_line(times, line, most)
    assert len(drawn) <= most
    assert np.array_equal(drawn, line[np.searchsorted(times, drawn_times)], equal_nan=True)
    assert (drawn_times[0], drawn_times[-1]) == (times[0], times[-1])
    assert np.isnan(drawn).any() == np.isnan(line).any()
    if np.isfinite(line).any():
        assert (np.nanmin(drawn), np.nanmax(drawn)) == (np.nanmin(line), np.nanmax(line))


def test_lines_of_one_time_keep_the_spikes_of_each() -> None:
    first, second = np.zeros(1_000), np.zeros(1_000)
    first[123], second[777] = 5.0, -5.0
    places = places_to_draw(np.arange(1_000), (first, second), 40)
    assert {0, 123, 777, 999} <= set(places.tolist())
    assert len(places) <= 40


def test_a_line_is_of_the_range_shown() -> None:
    times, _ = downsample_line(np.arange(100), np.zeros(100), 200, 10, 20)
    assert times.tolist() == list(range(10, 20))


def test_no_room_is_refused() -> None:
    with pytest.raises(BadInput, match="most 0: expected room for 1 points or more"):
        downsample_bars(some_bars(3), 0)
    with pytest.raises(BadInput, match="most 4: expected room for 5 points or more"):
        downsample_line(np.arange(9), np.zeros(9), 4)
