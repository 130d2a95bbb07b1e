"""Longer bars: as a plain reading of the shorter ones says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.errors import BadInput
from workstation.history.longer_bars import COLUMNS, empty_bars, joined_bars, longer_bars, opening_of
from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS
from workstation.model.market import (
    Bars,
)

T0 = 1_700_000_000 * 1_000_000_000 // DAY_NS * DAY_NS


def some_bars(places: list[int], length: int = MINUTE_NS, add: float = 0.0) -> Bars:
    """Bars at T0 + place · length, each with numbers of its own."""
    x = np.array(places, np.float64) + add
    return Bars(
        interval_ns=length,
        ts_open=T0 + np.array(places, np.int64) * length,
        open=x + 0.5,
        high=x % 7 + 100,
        low=x % 5 + 0.1,
        close=x + 0.7,
        volume=x + 1,
    )


@given(st.sets(st.integers(0, 400), min_size=1), st.sampled_from([5, 15, 60]), st.integers(0, 4))
def test_a_longer_bar_is_first_highest_lowest_last_and_sum(places: set[int], minutes: int, shift: int) -> None:
    bars, length = some_bars(sorted(places)), minutes * MINUTE_NS
    longer = longer_bars(bars, length, T0 + shift * MINUTE_NS)
    for place, ts_open in enumerate(longer.ts_open.tolist()):
        assert (ts_open - T0 - shift * MINUTE_NS) % length == 0
        inside = (bars.ts_open >= ts_open) & (bars.ts_open < ts_open + length)
        assert longer.open[place] == bars.open[inside][0] and longer.close[place] == bars.close[inside][-1]
        assert longer.high[place] == bars.high[inside].max() and longer.low[place] == bars.low[inside].min()
        assert longer.volume[place] == bars.volume[inside].sum()
    assert (np.diff(longer.ts_open) > 0).all() and longer.volume.sum() == bars.volume.sum()


def test_days_open_at_midnight_and_weeks_on_monday() -> None:
    sunday = np.datetime64("2024-05-05T23:59", "ns").astype(np.int64).item()
    monday = np.datetime64("2024-04-29", "ns").astype(np.int64).item()
    assert opening_of(sunday, 7 * DAY_NS) == monday
    assert opening_of(sunday + MINUTE_NS, 7 * DAY_NS) == monday + 7 * DAY_NS
    assert opening_of(sunday, DAY_NS) == monday + 6 * DAY_NS
    assert longer_bars(some_bars([0], DAY_NS), 7 * DAY_NS).ts_open[0] == opening_of(T0, 7 * DAY_NS)


def test_none_are_none_and_no_multiple_is_refused() -> None:
    assert len(longer_bars(empty_bars(MINUTE_NS), HOUR_NS)) == 0
    with pytest.raises(BadInput, match="expected a multiple"):
        longer_bars(some_bars([0], 3 * MINUTE_NS), 5 * MINUTE_NS)


def test_joined_bars_are_in_order_and_of_two_the_later_part_stands() -> None:
    joined = joined_bars(some_bars([4, 5, 6]), some_bars([1, 5, 9], add=1000))
    assert ((joined.ts_open - T0) // MINUTE_NS).tolist() == [1, 4, 5, 6, 9]
    assert joined.close.tolist() == [1001.7, 4.7, 1005.7, 6.7, 1009.7]
    assert {len(getattr(joined, name)) for name in COLUMNS} == {5}
