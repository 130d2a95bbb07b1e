"""The windows told slowly: each question is answered from the list of all quotes, in plain Python, with no state."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from workstation.windows.opportunities import OpportunitySpec
from workstation.windows.specs import WindowSpec

BPS = 1e4


class Quote(NamedTuple):
    """A quote that could be true; `side` is 0 for instrument A, 1 for B, 2 for the basis."""

    ts: int
    side: int
    bid: float
    ask: float
    bid_quantity: float = 1.0
    ask_quantity: float = 1.0


def values(quotes: Sequence[Quote], spec: WindowSpec) -> list[tuple[int, float]]:
    """(time, value) of each quote: the mid, or the mid spread in bps where neither side is stale, else NaN."""
    out: list[tuple[int, float]] = []
    last: dict[int, Quote] = {}
    for quote in quotes:
        last[quote.side] = quote
        if spec.instrument_b is None:
            out.append((quote.ts, 0.5 * (quote.bid + quote.ask)))
        elif len(last) == _sides(spec) and min(q.ts for q in last.values()) >= quote.ts - spec.stale_after_ns:
            logs = {side: math.log(0.5 * (q.bid + q.ask)) for side, q in last.items()}
            out.append((quote.ts, BPS * (logs[0] - (logs[1] + logs.get(2, 0.0)))))
        else:
            out.append((quote.ts, math.nan))
    return out


def _sides(spec: WindowSpec) -> int:
    return 2 if spec.basis is None else 3


def points(quotes: Sequence[Quote], spec: WindowSpec) -> tuple[list[float], bool]:
    """The points before the last quote's bucket, oldest first, and whether some were lost for want of room."""
    seen = values(quotes, spec)
    if spec.resolution_ns == 0:
        now = seen[-1][0]
        kept = [value for ts, value in seen[:-1] if not math.isnan(value) and ts >= now - spec.span_ns]
    else:
        bucket_of = {ts: ts // spec.resolution_ns for ts, _ in seen}
        now = bucket_of[seen[-1][0]]
        last = {bucket_of[ts]: value for ts, value in seen if not math.isnan(value)}
        oldest = now - spec.span_ns // spec.resolution_ns
        kept = [value for bucket, value in sorted(last.items()) if oldest <= bucket < now]
    return kept[-spec.capacity :], len(kept) > spec.capacity


def fields(quotes: Sequence[Quote], spec: WindowSpec, fee_a: float, fee_b: float) -> dict[str, float]:
    """All fields after the last quote, by the formulas of the specification."""
    now = values(quotes, spec)[-1][1]
    kept, _ = points(quotes, spec)
    unknown = ("mean", "deviation", "upper_band", "lower_band", "z", "lower_quantile", "upper_quantile", "min", "max")
    out = dict.fromkeys(unknown, math.nan) | {"value": now}
    if len(kept) >= spec.min_points:
        mean = math.fsum(kept) / len(kept)
        deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in kept) / len(kept))
        out |= {"mean": mean, "deviation": deviation, "min": min(kept), "max": max(kept)}
        out["upper_band"] = mean + spec.band_deviations * deviation
        out["lower_band"] = mean - spec.band_deviations * deviation
        if spec.quantiles is not None:
            out["lower_quantile"], out["upper_quantile"] = (quantile(kept, part) for part in spec.quantiles)
        out["z"] = (now - mean) / deviation if deviation > 0 else math.nan
    return out | edges(quotes, now, spec, fee_a, fee_b)


class Crossing(NamedTuple):
    """An opportunity, as windows.opportunities tells it."""

    way: int
    opened: int
    closed: int
    peak_at: int
    peak: float
    quantity: float
    left: float


def crossings(
    quotes: Sequence[Quote], spec: WindowSpec, wanted: OpportunitySpec, fee_a: float, fee_b: float
) -> list[Crossing]:
    """All that have closed by the last quote: each way's edge as a function of time, cut where it holds no more."""
    found = []
    for way, name in enumerate(("net_edge_ab", "net_edge_ba")):
        pieces = _pieces(quotes, spec, name, way, fee_a, fee_b)
        place = 0
        while place < len(pieces):
            run = place
            while run < len(pieces) and _holds(pieces[run], wanted):
                run += 1
            if run > place and run < len(pieces):
                found.append(_crossing(way, pieces[place:run], pieces[run], wanted))
            place = max(run, place + 1)
    return sorted((one for one in found if one.closed - one.opened >= wanted.least_ns), key=lambda one: one.closed)


class _Piece(NamedTuple):
    """The edge from `since` on; NaN in a gap."""

    since: int
    edge: float
    quantity: float
    ask: float


def _pieces(quotes: Sequence[Quote], spec: WindowSpec, name: str, way: int, fee_a: float, fee_b: float) -> list[_Piece]:
    pieces = []
    for place, quote in enumerate(quotes):
        seen = quotes[: place + 1]
        edge = fields(seen, spec, fee_a, fee_b)[name]
        last = {side: next((q for q in reversed(seen) if q.side == side), None) for side in (0, 1)}
        seller, buyer = (last[0], last[1]) if way == 0 else (last[1], last[0])
        if seller is None or buyer is None:
            continue
        ask = buyer.ask if way == 1 else _turned(buyer, seen).get("ask", buyer.ask)
        quantity = min(seller.bid_quantity, buyer.ask_quantity)
        if (basis := next((q for q in reversed(seen) if q.side == 2), None)) is not None:
            turned = basis.ask_quantity / buyer.ask if way == 0 else basis.bid_quantity / seller.bid
            quantity = min(quantity, turned)
        pieces.append(_Piece(quote.ts, edge, quantity, ask))
        stale = min(next(q.ts for q in reversed(seen) if q.side == s) for s in {q.side for q in seen})
        stale += spec.stale_after_ns + 1
        if place + 1 < len(quotes) and not math.isnan(edge) and stale < quotes[place + 1].ts:
            pieces.append(_Piece(stale, math.nan, 0.0, 0.0))
    return pieces


def _holds(piece: _Piece, wanted: OpportunitySpec) -> bool:
    return piece.edge >= wanted.least_bps and piece.quantity * piece.ask >= wanted.least_value


def _crossing(way: int, run: Sequence[_Piece], end: _Piece, wanted: OpportunitySpec) -> Crossing:
    due, peak = run[0].since + wanted.latency_ns, max(run, key=lambda piece: piece.edge)
    left = end.edge if due >= end.since else [piece for piece in run if piece.since <= due][-1].edge
    return Crossing(way, run[0].since, end.since, peak.since, peak.edge, peak.quantity, left)


def quantile(kept: Sequence[float], part: float) -> float:
    """The smallest point that has `part` of all at or below it, on a grid of 0.05 bps up to 1,000 bps."""
    value = sorted(kept)[max(math.ceil(part * len(kept)), 1) - 1]
    return min(max(math.floor(value * 20 + 0.5) / 20, -1_000.0), 1_000.0)


def _turned(b: Quote, quotes: Sequence[Quote]) -> dict[str, float]:
    """The prices of B in A's currency; the same where there is no basis."""
    basis = next((q for q in reversed(quotes) if q.side == 2), None)
    return {} if basis is None else {"bid": b.bid * basis.bid, "ask": b.ask * basis.ask}


def edges(quotes: Sequence[Quote], now: float, spec: WindowSpec, fee_a: float, fee_b: float) -> dict[str, float]:
    """Executable edges in bps, gross and after both taker fees; NaN while a side is stale and without a second side."""
    names = ("edge_ab", "edge_ba", "net_edge_ab", "net_edge_ba")
    if spec.instrument_b is None or math.isnan(now):
        return dict.fromkeys(names, math.nan)
    a, b = (next(q for q in reversed(quotes) if q.side == side) for side in (0, 1))
    b = b._replace(**_turned(b, quotes))
    return {
        "edge_ab": BPS * (a.bid - b.ask) / b.ask,
        "edge_ba": BPS * (b.bid - a.ask) / a.ask,
        "net_edge_ab": BPS * (a.bid * (1 - fee_a) / (b.ask * (1 + fee_b)) - 1),
        "net_edge_ba": BPS * (b.bid * (1 - fee_b) / (a.ask * (1 + fee_a)) - 1),
    }
