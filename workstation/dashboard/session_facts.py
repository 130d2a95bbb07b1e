"""One session's facts for its panel: settings, limits, figures, runs and what verifying them gave."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from workstation.client.messages import SessionDetail, SessionSummary
from workstation.dashboard.verification import Verification, outcome_words
from workstation.model.durations import MINUTE_NS, SECOND_NS

Row = list[Any]
Group = list[Any]


def fact_groups(summary: SessionSummary, detail: SessionDetail | None) -> list[Group]:
    """As FactSheet shows them; what the engine has not told yet is left out."""
    groups = [["Figures", list(_figures(summary))]]
    if detail is not None:
        groups.append(["Parameters", _rows(detail.parameters)])
        groups.append(["Size and limits", [["sizing", detail.sizing], *_rows(detail.limits)]])
        groups.append(["Runs", [[f"run {number}", ["id", run]] for number, run in enumerate(detail.runs, 1)]])
    return groups


def verification_lines(now: Verification, now_s: float) -> list[list[Any]]:
    """How far it is, or what came of each run."""
    lines: list[list[Any]] = []
    if now.ended_s is None:
        left_s = now.left_s(now_s)
        eta = "" if left_s is None else f", about {max(1, round(left_s))} s left"
        lines.append([["b", f"Verifying: {now.fraction:.0%}"], f" of {len(now.runs)} runs{eta}"])
    elif now.is_same:
        lines.append([["up", "✓ Verified: every decision is made again, byte for byte."]])
    elif now.failure == "cancelled":
        lines.append([["b", "Verifying was cancelled."]])
    elif now.failure:
        lines.append([["down", f"▲ Not verified: {now.failure}"]])
    else:
        lines.append([["down", "▲ Not every run is the same."]])
    return lines + [[outcome_words(one)] for one in now.outcomes]


def _figures(one: SessionSummary) -> Iterator[Row]:
    yield ["opened with", f"{one.opening_equity:,.2f} {one.currency}"]
    yield ["equity", _money(one.equity, one.currency)]
    yield ["result", _result(None if one.equity is None else one.equity - one.opening_equity, one.currency)]
    yield ["day, since 00:00 UTC", _result(one.day_pnl, one.currency)]
    yield ["realized", _result(one.realized_pnl, one.currency)]
    for currency, fee in sorted(one.fees.items()):
        yield ["fees", _money(fee, currency)]
    yield ["open groups, orders", f"{one.open_groups}, {one.open_orders}"]
    yield ["signals, refused", f"{one.signals:,}, {one.refusals:,}"]
    yield ["journal", f"{one.facts:,} facts"]
    yield ["started", moment(one.started_ns)]
    if one.gap_ns is not None:
        yield ["not watched before", f"{_length(one.gap_ns)}, from {moment(one.gap_ns[0])}"]


def moment(ts_ns: int) -> str:
    return f"{datetime.fromtimestamp(ts_ns / SECOND_NS, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _length(gap_ns: tuple[int, int]) -> str:
    length_ns = gap_ns[1] - gap_ns[0]
    return f"{length_ns / SECOND_NS:,.0f} s" if length_ns < 2 * MINUTE_NS else f"{length_ns / MINUTE_NS:,.0f} min"


def _rows(values: Mapping[str, Any]) -> list[Row]:
    return [[name.replace("_", " "), "none" if value is None else str(value)] for name, value in values.items()]


def _money(amount: Decimal | None, currency: str) -> str:
    return "–" if amount is None else f"{amount:,.2f} {currency}"


def _result(amount: Decimal | None, currency: str) -> Any:
    if amount is None:
        return "–"
    kind = "up" if amount > 0 else "down" if amount < 0 else "b"
    return [kind, f"{amount:+,.2f} {currency}".replace("-", "−")]
