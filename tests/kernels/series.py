"""Series that are awkward for a rolling kernel, and how to compare with them."""

import math
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from workstation.kernels.arguments import Float64s

LENGTH = 120


def _walk(seed: int, level: float, step: float) -> Float64s:
    return level + np.cumsum(np.random.default_rng(seed).normal(scale=step, size=LENGTH))


def _with(values: Float64s, **places: float) -> Float64s:
    changed = values.copy()
    for place, value in places.items():
        changed[int(place.removeprefix("at_"))] = value
    return changed


_TICKS: Float64s = np.random.default_rng(7).integers(-2, 3, size=LENGTH).astype(np.float64)

AWKWARD: dict[str, Float64s] = {
    "walk": _walk(1, 100.0, 0.1),
    "around zero": np.random.default_rng(2).normal(size=LENGTH),
    "constant": np.full(LENGTH, 0.1),
    "zeros": np.zeros(LENGTH),
    "constant after a walk": np.concatenate([_walk(3, 50.0, 1.0)[:60], np.full(60, 0.3)]),
    "ticks on a billion": np.add(1e9, 0.01 * _TICKS, dtype=np.float64),
    "ticks after an outlier": _with(np.add(100.0, 0.01 * _TICKS, dtype=np.float64), at_0=1e12, at_41=-1e15, at_80=3e9),
    "falling by magnitudes": np.logspace(12, -12, LENGTH),
    "a NaN": _with(_walk(4, 10.0, 0.1), at_0=math.nan, at_33=math.nan, at_34=math.nan, at_90=math.nan),
    "an infinity": _with(_walk(5, 10.0, 0.1), at_20=math.inf, at_70=-math.inf),
    "all NaN": np.full(LENGTH, math.nan),
    "one value": np.array([3.0]),
    "none": np.empty(0),
}

WINDOWS = (1, 2, 3, 10, 40, LENGTH, LENGTH + 1)

prices = st.floats(min_value=-1e9, max_value=1e9, allow_subnormal=False)
any_value = st.one_of(prices, st.sampled_from([0.0, 1.0, 1.0, math.nan, math.inf, -math.inf]))
any_series = st.lists(any_value, max_size=60).map(lambda values: np.array(values, dtype=np.float64))
cuts = st.lists(st.integers(min_value=0, max_value=60), max_size=5)


def blocks(length: int, cut_at: list[int]) -> list[slice]:
    """The slices between the cuts, in order; they cover 0 … length."""
    edges = sorted({0, length, *(cut for cut in cut_at if cut < length)})
    return [slice(start, end) for start, end in pairwise(edges)]


def assert_close(ours: Float64s, theirs: Float64s | list[float], scale: float = 0.0, relative: float = 1e-9) -> None:
    """Equal within `relative` of the value, or of `scale` (what rounding may leave of larger values); NaN where NaN."""
    np.testing.assert_allclose(ours, np.asarray(theirs, dtype=np.float64), rtol=relative, atol=relative * scale)


def assert_same_bits(ours: Float64s, theirs: Float64s) -> None:
    """Equal bit for bit, whatever the payload of a NaN."""
    np.testing.assert_array_equal(ours, theirs)
    numbers = ~np.isnan(ours)
    assert ours[numbers].tobytes() == theirs[numbers].tobytes()
