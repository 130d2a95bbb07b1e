"""The point window: one value per time bucket, mean and m2 kept as points come and go.

A slot's ring lies in a shared pool: `values[offset : offset + capacity]` with the bucket of each point beside it. The
value of the current bucket is pending and not yet a point, so the statistics are those before it. The updates depend on
the path, therefore mean and m2 are recomputed from the ring at fixed UTC anchors: a window rebuilt from the anchor
before its span equals one that never stopped.
"""

import math
from typing import Any

from workstation.kernels.compiled import compiled
from workstation.kernels.rolling import moments_add, moments_remove, moments_replace
from workstation.windows.specs import Field, WindowKind

SPREAD = int(WindowKind.SPREAD)
VALUE = int(Field.VALUE)
MEAN = int(Field.MEAN)
DEVIATION = int(Field.DEVIATION)
Z = int(Field.Z)
UPPER_BAND = int(Field.UPPER_BAND)
LOWER_BAND = int(Field.LOWER_BAND)
EDGE_AB = int(Field.EDGE_AB)
EDGE_BA = int(Field.EDGE_BA)
NET_EDGE_AB = int(Field.NET_EDGE_AB)
NET_EDGE_BA = int(Field.NET_EDGE_BA)
BPS = 1e4


@compiled
def ring_moments(values: Any, offset: int, capacity: int, head: int, count: int) -> tuple[float, float]:
    """(mean, m2) of `count` points from the oldest at `head`, in two passes; (0, 0) of none."""
    if count == 0:
        return 0.0, 0.0
    total = 0.0
    place = head
    for _ in range(count):
        total += values[offset + place]
        place += 1
        if place == capacity:
            place = 0
    mean = total / count
    m2 = 0.0
    place = head
    for _ in range(count):
        deviation = values[offset + place] - mean
        m2 += deviation * deviation
        place += 1
        if place == capacity:
            place = 0
    return mean, m2


@compiled
def push_point(slot: Any, values: Any, buckets: Any, oldest_kept: int) -> None:
    """The pending value becomes a point; points before bucket `oldest_kept` leave."""
    offset, capacity = slot["offset"], slot["capacity"]
    head, count = slot["head"], slot["count"]
    mean, m2 = slot["mean"], slot["m2"]
    leaving = 0
    while leaving < count:
        place = head + leaving
        if place >= capacity:
            place -= capacity
        if buckets[offset + place] >= oldest_kept:
            break
        leaving += 1
    if count - leaving == capacity:
        leaving += 1  # no room for the whole span: the oldest point leaves early, and the window says so
        slot["is_truncated"] = 1
    arriving = slot["has_pending"]
    # the steady state: one leaves, one arrives, at the price of one division
    replaced = 1 if arriving and leaving > 0 and count > 1 else 0
    for _ in range(leaving - replaced):
        count, mean, m2 = moments_remove(count, mean, m2, values[offset + head])
        head = head + 1 if head + 1 < capacity else 0
    if arriving:
        x = slot["pending"]
        if replaced:
            count, mean, m2 = moments_replace(count, mean, m2, values[offset + head], x)
            head = head + 1 if head + 1 < capacity else 0
        else:
            count, mean, m2 = moments_add(count, mean, m2, x)
        place = head + count - 1
        if place >= capacity:
            place -= capacity
        values[offset + place] = x
        buckets[offset + place] = slot["bucket"]
        slot["has_pending"] = 0
    slot["head"], slot["count"], slot["mean"], slot["m2"] = head, count, mean, m2


@compiled
def enter_bucket(slot: Any, values: Any, buckets: Any, ts: int) -> None:
    """Time has left the slot's bucket: its pending value becomes a point, old points leave, anchors are kept."""
    resolution = slot["resolution_ns"]
    bucket = ts // resolution if resolution > 0 else ts
    span = slot["span_ns"] // resolution if resolution > 0 else slot["span_ns"]
    push_point(slot, values, buckets, bucket - span)
    if ts >= slot["anchor_end"]:
        slot["mean"], slot["m2"] = ring_moments(values, slot["offset"], slot["capacity"], slot["head"], slot["count"])
        slot["anchor_end"] = (ts // slot["anchor_ns"] + 1) * slot["anchor_ns"]
    slot["bucket"] = bucket
    slot["bucket_end"] = (bucket + 1) * resolution if resolution > 0 else ts


@compiled
def update_point(slot: Any, values: Any, buckets: Any, ts: int, value: float) -> None:
    """Takes the value of a row at `ts` (ns); NaN is a gap and leaves the bucket's last value standing."""
    if ts >= slot["bucket_end"]:
        enter_bucket(slot, values, buckets, ts)
    slot["current"] = value
    if value == value:
        slot["pending"] = value
        slot["has_pending"] = 1


@compiled
def gross_edge_bps(bid: float, ask: float) -> float:
    """10⁴ · (bid - ask) / ask: what is left when the one side is sold at `bid` and the other bought at `ask`."""
    return BPS * (bid - ask) / ask


@compiled
def net_edge_bps(bid: float, ask: float, sell_fee_rate: float, buy_fee_rate: float) -> float:
    """10⁴ · (bid · (1 - f_sell) / (ask · (1 + f_buy)) - 1): the edge after both taker fees."""
    return BPS * (bid * (1.0 - sell_fee_rate) / (ask * (1.0 + buy_fee_rate)) - 1.0)


@compiled
def edge_value(slot: Any, instruments: Any, field: int) -> float:
    """One of the four executable edges of a spread slot, bps; NaN while a side is stale."""
    if slot["kind"] != SPREAD or slot["current"] != slot["current"]:
        return math.nan
    a, b = instruments[slot["instrument_a"]], instruments[slot["instrument_b"]]
    if field == EDGE_AB:
        return gross_edge_bps(a["bid"], b["ask"])
    if field == EDGE_BA:
        return gross_edge_bps(b["bid"], a["ask"])
    if field == NET_EDGE_AB:
        return net_edge_bps(a["bid"], b["ask"], slot["fee_a"], slot["fee_b"])
    return net_edge_bps(b["bid"], a["ask"], slot["fee_b"], slot["fee_a"])


@compiled
def field_value(slot: Any, instruments: Any, field: int) -> float:
    """A field of a point window now (units in specs.Field); NaN where it is not known."""
    if field == VALUE:
        return float(slot["current"])
    if field >= EDGE_AB:
        return edge_value(slot, instruments, field)
    count = slot["count"]
    if count < slot["min_points"]:
        return math.nan
    mean = slot["mean"]
    if field == MEAN:
        return float(mean)
    deviation = math.sqrt(slot["m2"] / count)
    if field == DEVIATION:
        return deviation
    if field == UPPER_BAND:
        return float(mean + slot["band_deviations"] * deviation)
    if field == LOWER_BAND:
        return float(mean - slot["band_deviations"] * deviation)
    return (slot["current"] - mean) / deviation if deviation > 0.0 else math.nan
