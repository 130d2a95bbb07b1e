"""The smallest and the largest point of rings of several blocks, beside a plain list of the points."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.windows.extremes import BLOCK, drop_extremes, ring_rows, take_extremes
from workstation.windows.tables import POINT, SLOT

CAPACITIES = (1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 17)
VALUES = {
    "constant": st.just(1.0),
    "few": st.sampled_from([-1.0, 0.0, 0.5, 1.0]),
    "many": st.floats(-1e3, 1e3),
}


@settings(max_examples=60, deadline=None)
@given(
    capacity=st.sampled_from(CAPACITIES),
    offset=st.integers(0, 5),
    kind=st.sampled_from(sorted(VALUES)),
    seed=st.integers(0, 10**6),
    drift=st.sampled_from([-1.0, 0.0, 1.0]),
    data=st.data(),
)
def test_a_ring_knows_its_extremes_and_where_the_newest_of_them_are(
    capacity: int, offset: int, kind: str, seed: int, drift: float, data: st.DataObject
) -> None:
    sample = data.draw(st.lists(VALUES[kind], min_size=1, max_size=8))
    leaves = data.draw(st.lists(st.integers(0, capacity), min_size=1, max_size=8))
    dice = np.random.default_rng(seed)
    slots, pool = np.zeros(1, SLOT), np.zeros(offset + ring_rows(capacity) + 3, POINT)
    pool["value"] = np.nan
    slot, around = slots[0], pool.copy()
    slot["offset"], slot["capacity"], slot["min"], slot["max"] = offset, capacity, np.inf, -np.inf
    slot["head"] = dice.integers(capacity)
    kept: list[tuple[float, int]] = []
    for number in range(4 * capacity + 50):
        leaving = int(dice.choice(leaves)) if dice.random() < 0.02 else 0
        leaving = max(min(leaving, len(kept)), len(kept) + 1 - capacity)
        kept = kept[leaving:]
        value = float(dice.choice(sample)) + drift * number
        kept.append((value, number))
        slot["head"], slot["count"] = (slot["head"] + leaving) % capacity, len(kept)
        place = int(slot["head"] + slot["count"] - 1) % capacity
        pool["value"][offset + place] = value
        take_extremes(slot, pool, place, value)
        drop_extremes(slot, pool)
        least, most = min(value for value, _ in kept), max(value for value, _ in kept)
        assert (slot["min"], slot["max"]) == (least, most)
        assert slot["min_at"] == max(number for value, number in kept if value == least)
        assert slot["max_at"] == max(number for value, number in kept if value == most)
    beyond = np.r_[0:offset, offset + ring_rows(capacity) : len(pool)]
    assert pool[beyond].tobytes() == around[beyond].tobytes()


def test_a_ring_that_all_points_have_left_begins_anew() -> None:
    slots, pool = np.zeros(1, SLOT), np.zeros(ring_rows(3), POINT)
    slot = slots[0]
    slot["capacity"], slot["min"], slot["max"] = 3, np.inf, -np.inf
    for place, value in enumerate((1.0, 9.0)):
        slot["count"] = place + 1
        take_extremes(slot, pool, place, value)
    slot["head"], slot["count"] = 2, 0
    drop_extremes(slot, pool)
    assert (slot["min"], slot["max"]) == (np.inf, -np.inf)
    slot["count"] = 1
    take_extremes(slot, pool, 2, 5.0)
    assert (slot["min"], slot["max"]) == (5.0, 5.0)
