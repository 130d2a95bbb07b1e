"""What was known last, against a search of each moment by itself, and against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.errors import BadInput
from workstation.kernels.asof import NONE, asof_places

TIMES = st.lists(st.integers(-50, 50), max_size=40).map(sorted)
AGES = st.none() | st.integers(0, 30)


def times(values: list[int]) -> np.ndarray:
    return np.array(values, np.int64)


def naive(moments: list[int], known: list[int], max_age: int | None) -> list[int]:
    found = []
    for now in moments:
        places = [place for place, at in enumerate(known) if at <= now]
        is_fresh = bool(places) and (max_age is None or now - known[places[-1]] <= max_age)
        found.append(places[-1] if is_fresh else NONE)
    return found


@given(TIMES, TIMES, AGES)
def test_places_are_those_of_a_search_for_each_moment(moments, known, max_age):
    assert asof_places(times(moments), times(known), max_age).tolist() == naive(moments, known, max_age)


@given(TIMES, TIMES, AGES)
def test_places_are_those_of_pandas(moments, known, max_age):
    left = pd.DataFrame({"at": times(moments)})
    right = pd.DataFrame({"at": times(known), "place": np.arange(len(known))})
    joined = pd.merge_asof(left, right, on="at", tolerance=max_age)
    assert asof_places(times(moments), times(known), max_age).tolist() == joined["place"].fillna(NONE).tolist()


def test_strided_times_are_taken():
    assert asof_places(times([1, 9, 3, 9])[::2], times([2, 9])[::1]).tolist() == [-1, 0]


@pytest.mark.parametrize(
    ("moments", "known", "max_age", "why"),
    [
        (times([2, 1]), times([]), None, r"times\[1\] is before the one in front of it"),
        (times([1]), times([5, 7, 6]), None, r"known_times\[2\] is before the one in front of it"),
        (times([1]), times([1]), -1, "max_age -1: expected 0 or more"),
        (np.array([1.0]), times([1]), None, "times: expected an int64 array"),
        (times([1]), [1], None, "known_times: expected an int64 array"),
    ],
)
def test_what_cannot_be_joined_is_refused(moments, known, max_age, why):
    with pytest.raises(BadInput, match=why):
        asof_places(moments, known, max_age)
