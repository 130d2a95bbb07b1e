"""The smallest and the largest point of a ring, as points come and go.

Points are numbered as they are written, and a ring knows the number of the newest one that is its smallest: when that
has left, the ring is looked through. It is so by blocks: behind a ring's places lie, for each BLOCK of them, the
smallest and the largest value written there since the block's first place was. A block whose first place is still in
the ring has nothing older in it, so only the oldest block is read point by point.
"""

import math
from typing import Any

from workstation.kernels.compiled import compiled

BLOCK = 128
"""Of a full half hour of points at ten a second 141 blocks are looked at, and as many points at most."""


def ring_rows(capacity: int) -> int:
    """Rows of the pool that a ring of `capacity` points takes, with its blocks' extremes."""
    return capacity + 2 * -(-capacity // BLOCK)


@compiled
def block_place(slot: Any, place: int) -> int:
    """Where in the pool the smallest value of a place's block lies; the largest is behind it."""
    return int(slot["offset"] + slot["capacity"] + place // BLOCK * 2)


@compiled
def take_extremes(slot: Any, points: Any, place: int, value: float) -> None:
    """A value has been written at a place of the ring."""
    block = block_place(slot, place)
    low, high = points[block], points[block + 1]
    if place % BLOCK == 0:
        low["value"] = high["value"] = value
    else:
        low["value"], high["value"] = min(low["value"], value), max(high["value"], value)
    if value <= slot["min"]:
        slot["min"], slot["min_at"] = value, slot["written"]
    if value >= slot["max"]:
        slot["max"], slot["max_at"] = value, slot["written"]
    slot["written"] += 1


@compiled
def drop_extremes(slot: Any, points: Any) -> None:
    """The oldest points have left the ring."""
    oldest = slot["written"] - slot["count"]
    if slot["min_at"] < oldest or slot["max_at"] < oldest:
        find_extremes(slot, points)


@compiled
def find_extremes(slot: Any, points: Any) -> None:
    """Looks through the ring; the extremes of no points are infinite."""
    offset, capacity, place, left = slot["offset"], slot["capacity"], slot["head"], slot["count"]
    low, high, low_from, high_from = math.inf, -math.inf, 0, 0
    while left > 0:
        size = min(BLOCK - place % BLOCK, capacity - place, left)
        if place % BLOCK == 0:
            block = block_place(slot, place)
            least, most = points[block]["value"], points[block + 1]["value"]
        else:
            least, most = math.inf, -math.inf
            for each in range(offset + place, offset + place + size):
                least, most = min(least, points[each]["value"]), max(most, points[each]["value"])
        if least <= low:
            low, low_from = least, place
        if most >= high:
            high, high_from = most, place
        place, left = place + size, left - size
        if place == capacity:
            place = 0
    slot["min"], slot["min_at"] = low, newest_of(slot, points, low_from, low)
    slot["max"], slot["max_at"] = high, newest_of(slot, points, high_from, high)


@compiled
def newest_of(slot: Any, points: Any, place: int, value: float) -> int:
    """The number of the newest point with `value` in the block of a place, looked at from there on."""
    capacity, head = slot["capacity"], slot["head"]
    behind = place - head if place >= head else place - head + capacity
    oldest, newest = slot["written"] - slot["count"], 0
    for step in range(min(BLOCK - place % BLOCK, capacity - place, slot["count"] - behind)):
        if points[slot["offset"] + place + step]["value"] == value:
            newest = oldest + behind + step
    return int(newest)
