"""Where one series crosses another."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workstation.errors import BadInput
from workstation.kernels.trend import crossings, ema, ema_crossings

NUMBERS = st.lists(st.sampled_from([1.0, 2.0, 3.0, np.nan]), max_size=30)


def naive(fast: list[float], slow: list[float]) -> tuple[list[bool], list[bool]]:
    up, down = [False] * len(fast), [False] * len(fast)
    for i in range(1, len(fast)):
        known = not any(np.isnan([fast[i - 1], slow[i - 1], fast[i], slow[i]]))
        up[i] = known and fast[i] > slow[i] and not fast[i - 1] > slow[i - 1]
        down[i] = known and fast[i] < slow[i] and not fast[i - 1] < slow[i - 1]
    return up, down


@given(NUMBERS, NUMBERS)
def test_crossings_are_those_of_the_naive_loop(fast, slow):
    length = min(len(fast), len(slow))
    up, down = crossings(np.array(fast[:length]), np.array(slow[:length]))
    assert (up.tolist(), down.tolist()) == naive(fast[:length], slow[:length])


WALK = st.lists(st.sampled_from([1.0, 1.1, 2.0, 3.0, np.nan, np.inf]), max_size=60)


@given(WALK, st.integers(1, 8), st.integers(1, 8))
@example([1.0, 1.1, 2.0, 3.0, 1.0, 1.0, 1.0, 3.0, 3.0, 3.0, 1.0], 1, 3)
def test_exponential_averages_cross_in_one_pass_where_they_cross_in_three(values, fast, slow):
    series = np.array(values)
    up, down = ema_crossings(series, fast, slow)
    expected_up, expected_down = crossings(ema(series, fast), ema(series, slow))
    assert (up.tolist(), down.tolist()) == (expected_up.tolist(), expected_down.tolist())


def test_series_of_other_lengths_are_refused():
    with pytest.raises(BadInput, match="different lengths"):
        crossings(np.zeros(2), np.zeros(1))
