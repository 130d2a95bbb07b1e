"""The point window: one value per time bucket, mean and m2 kept as points come and go.

A slot's ring lies in a shared pool: `points[offset : offset + capacity]`, each with its bucket. The value of the
current bucket is pending and not yet a point, so the statistics are those before it. The updates depend on the path,
therefore mean and m2 are recomputed from the ring at fixed UTC anchors: a window rebuilt from the anchor before its
span equals one that never stopped. They are also recomputed when most of m2 has left: the rest would be rounding.
"""

import math
from typing import Any

from workstation.kernels.binned_quantile import bin_of, centre_bps, moved_cursor, rank_of
from workstation.kernels.compiled import compiled
from workstation.kernels.rolling import CANCELLED, moments_add, moments_remove, moments_replace
from workstation.windows.extremes import drop_extremes, take_extremes
from workstation.windows.specs import Field, WindowKind
from workstation.windows.tables import NO_BASIS, NO_BINS, UNTOUCHED

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
LOWER_QUANTILE = int(Field.LOWER_QUANTILE)
UPPER_QUANTILE = int(Field.UPPER_QUANTILE)
MIN = int(Field.MIN)
MAX = int(Field.MAX)
BPS = 1e4


@compiled
def compute_moments(slot: Any, points: Any) -> None:
    """mean and m2 of the ring from its points, in two passes around its oldest one: equal points have an m2 of 0."""
    offset, capacity, head, count = slot["offset"], slot["capacity"], slot["head"], slot["count"]
    base = points[offset + head]["value"] if count > 0 else 0.0
    total = 0.0
    place = head
    for _ in range(count):
        total += points[offset + place]["value"] - base
        place = place + 1 if place + 1 < capacity else 0
    away = total / count if count > 0 else 0.0
    m2 = 0.0
    place = head
    for _ in range(count):
        deviation = (points[offset + place]["value"] - base) - away
        m2 += deviation * deviation
        place = place + 1 if place + 1 < capacity else 0
    slot["mean"], slot["m2"], slot["peak_m2"] = base + away, m2, m2


@compiled
def leaving_points(slot: Any, points: Any, oldest_kept: int) -> int:
    """How many of the oldest points go: those before bucket `oldest_kept`, and one more if the pending has no room."""
    offset, capacity = slot["offset"], slot["capacity"]
    head, count = slot["head"], slot["count"]
    leaving = 0
    while leaving < count:
        place = head + leaving
        if place >= capacity:
            place -= capacity
        if points[offset + place]["bucket"] >= oldest_kept:
            break
        leaving += 1
    if slot["is_truncated"] and slot["lost_bucket"] < oldest_kept:
        slot["is_truncated"] = slot["lost_bucket"] = 0
    if slot["has_pending"] and count - leaving == capacity:
        place = head + leaving
        if place >= capacity:
            place -= capacity
        slot["is_truncated"], slot["lost_bucket"] = 1, points[offset + place]["bucket"]
        leaving += 1
    return leaving


@compiled
def count_change(slot: Any, points: Any, bins: Any, leaving: int) -> None:
    """Takes the `leaving` oldest points out of the counts, and the pending value in; the cursors follow."""
    offset, capacity, place = slot["offset"], slot["capacity"], slot["head"]
    start, lower, upper = slot["bins_offset"], slot["lower_bin"], slot["upper_bin"]
    lower_below, upper_below = slot["lower_below"], slot["upper_below"]
    for _ in range(leaving):
        one = bin_of(points[offset + place]["value"])
        bins[start + one] -= 1
        lower_below -= one < lower
        upper_below -= one < upper
        place = place + 1 if place + 1 < capacity else 0
    if slot["has_pending"]:
        one = bin_of(slot["pending"])
        bins[start + one] += 1
        lower_below += one < lower
        upper_below += one < upper
    count = slot["count"] - leaving + slot["has_pending"]
    if count > 0:
        rank = rank_of(slot["lower_quantile"], count)
        lower, lower_below = moved_cursor(bins, start, lower, lower_below, rank)
        rank = rank_of(slot["upper_quantile"], count)
        upper, upper_below = moved_cursor(bins, start, upper, upper_below, rank)
    else:
        lower = upper = lower_below = upper_below = 0  # as of a window that held nothing yet
    slot["lower_bin"], slot["lower_below"] = lower, lower_below
    slot["upper_bin"], slot["upper_below"] = upper, upper_below


@compiled
def push_point(slot: Any, points: Any, bins: Any, oldest_kept: int) -> None:
    """The pending value becomes a point; what lies before bucket `oldest_kept` leaves, the pending value too."""
    if slot["bucket"] < oldest_kept:
        slot["has_pending"] = 0
    leaving = leaving_points(slot, points, oldest_kept)
    if slot["bins_offset"] != NO_BINS:
        count_change(slot, points, bins, leaving)
    offset, capacity = slot["offset"], slot["capacity"]
    head, count = slot["head"], slot["count"]
    mean, m2 = slot["mean"], slot["m2"]
    arriving = slot["has_pending"]
    # the steady state: one leaves, one arrives, at the price of one division
    replaced = 1 if arriving and leaving > 0 and count > 1 else 0
    for _ in range(leaving - replaced):
        count, mean, m2 = moments_remove(count, mean, m2, points[offset + head]["value"])
        head = head + 1 if head + 1 < capacity else 0
    if arriving:
        x = slot["pending"]
        if replaced:
            count, mean, m2 = moments_replace(count, mean, m2, points[offset + head]["value"], x)
            head = head + 1 if head + 1 < capacity else 0
        else:
            count, mean, m2 = moments_add(count, mean, m2, x)
        place = head + count - 1
        if place >= capacity:
            place -= capacity
        point = points[offset + place]
        point["value"], point["bucket"] = x, slot["bucket"]
        slot["has_pending"] = 0
        take_extremes(slot, points, place, x)
    slot["head"], slot["count"], slot["mean"], slot["m2"] = head, count, mean, m2
    if leaving > 0:
        drop_extremes(slot, points)
    slot["peak_m2"] = max(slot["peak_m2"], m2)


@compiled
def next_bucket(slot: Any, ts: int) -> int:
    """The bucket of `ts`, which the slot's has ended before; mostly the one behind it, at the price of no division."""
    resolution, end = slot["resolution_ns"], slot["bucket_end"]
    if resolution == 0:
        return ts
    return int(slot["bucket"] + 1 if end != UNTOUCHED and ts < end + resolution else ts // resolution)


@compiled
def enter_bucket(slot: Any, points: Any, bins: Any, ts: int) -> None:
    """Time has left the slot's bucket: its pending value becomes a point, old points leave, anchors are kept."""
    bucket = next_bucket(slot, ts)
    push_point(slot, points, bins, bucket - slot["span_buckets"])
    if ts >= slot["anchor_end"]:
        compute_moments(slot, points)
        slot["anchor_end"] = (ts // slot["anchor_ns"] + 1) * slot["anchor_ns"]
    elif slot["m2"] < CANCELLED * slot["peak_m2"]:
        compute_moments(slot, points)  # an outlier has left, and what remains was drowned in its rounding
    slot["bucket"] = bucket
    slot["bucket_end"] = (bucket + 1) * slot["resolution_ns"] if slot["resolution_ns"] > 0 else ts


@compiled
def update_point(slot: Any, points: Any, bins: Any, ts: int, value: float) -> None:
    """Takes the value of a row at `ts` (ns)."""
    if ts >= slot["bucket_end"]:
        enter_bucket(slot, points, bins, ts)
    hold_value(slot, value)


@compiled
def hold_value(slot: Any, value: float) -> None:
    """The last value of a bucket is its point; NaN is a gap and leaves the one before standing."""
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
def stale_from(slot: Any, instruments: Any) -> int:
    """When the older of a spread's two quotes gets too old, ns."""
    oldest = min(instruments[slot["instrument_a"]]["ts_received"], instruments[slot["instrument_b"]]["ts_received"])
    if slot["basis"] != NO_BASIS:
        oldest = min(oldest, instruments[slot["basis"]]["ts_received"])
    return int(oldest + slot["stale_after_ns"] + 1)


@compiled
def prices_of_b(slot: Any, instruments: Any) -> tuple[float, float]:
    """(bid, ask) of side B in A's quote currency: what selling, and buying, would pay, the conversion with it."""
    b = instruments[slot["instrument_b"]]
    if slot["basis"] == NO_BASIS:
        return b["bid"], b["ask"]
    basis = instruments[slot["basis"]]
    return b["bid"] * basis["bid"], b["ask"] * basis["ask"]


@compiled
def edge_value(slot: Any, instruments: Any, field: int) -> float:
    """One of the four executable edges of a spread slot, bps; NaN while a side is stale."""
    if slot["kind"] != SPREAD or slot["current"] != slot["current"]:
        return math.nan
    a, (bid_b, ask_b) = instruments[slot["instrument_a"]], prices_of_b(slot, instruments)
    if field == EDGE_AB:
        return gross_edge_bps(a["bid"], ask_b)
    if field == EDGE_BA:
        return gross_edge_bps(bid_b, a["ask"])
    if field == NET_EDGE_AB:
        return net_edge_bps(a["bid"], ask_b, slot["fee_a"], slot["fee_b"])
    return net_edge_bps(bid_b, a["ask"], slot["fee_b"], slot["fee_a"])


@compiled
def field_value(slot: Any, instruments: Any, field: int) -> float:
    """A field of a point window now (units in specs.Field); NaN where it is not known."""
    if field == VALUE:
        return float(slot["current"])
    if EDGE_AB <= field <= NET_EDGE_BA:
        return edge_value(slot, instruments, field)
    count = slot["count"]
    if count < slot["min_points"]:
        return math.nan
    if field >= MIN:
        return float(slot["min"] if field == MIN else slot["max"])
    if field >= LOWER_QUANTILE:
        if slot["bins_offset"] == NO_BINS:
            return math.nan
        return centre_bps(slot["lower_bin"] if field == LOWER_QUANTILE else slot["upper_bin"])
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
