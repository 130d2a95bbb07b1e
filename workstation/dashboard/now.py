"""The block "Now": what a session holds, waits for and how far that is, where its stops are, whether its guards pass.

A line is made of parts: plain text, ["b", text] for what counts, ["up" | "down", text] for results.
"""

import math
from collections.abc import Iterator
from decimal import Decimal

from workstation.client.messages import LegView, SessionStatus, SessionSummary
from workstation.client.now import ConditionView, GuardView, SessionNow

Part = str | tuple[str, str]
Line = list[Part]
STATUS_WORDS = {
    SessionStatus.STARTING: "Starting: windows are rebuilt",
    SessionStatus.RUNNING: "Running",
    SessionStatus.PAUSED: "Paused: no entries, what is open is watched",
    SessionStatus.KILLED: "Killed: nothing is opened until the kill switch is reset",
    SessionStatus.STOPPED: "Stopped",
    SessionStatus.HALTED: "Halted: no entries until somebody has looked",
    SessionStatus.BROKEN: "Broken: it cannot go on here",
}
FLAG_SENTENCES = {
    "paused": "The session is paused.",
    "lagging": "The session lags behind the market.",
    "kill switch": "The kill switch is on.",
}
MOST_CONDITIONS = 4
OPERATOR_WORDS = {">": "above", ">=": "above", "<": "below", "<=": "below"}


def now_lines(summary: SessionSummary, now: SessionNow | None) -> list[Line]:
    """As a person would say it, the gravest first."""
    lines: list[Line] = [_status(summary)]
    if now is not None:
        lines += _held(now, summary.currency)
        lines += _protection(now, summary.currency)
        if summary.status is not SessionStatus.STOPPED:
            lines += _waits(now)
            lines.append(_guards(now))
    return lines


def _status(summary: SessionSummary) -> Line:
    words: Line = [("b", STATUS_WORDS[summary.status]), f" · {summary.strategy}"]
    return [*words, f": {summary.reason}"] if summary.reason else words


def _held(now: SessionNow, currency: str) -> Iterator[Line]:
    held = [leg for group in now.groups for leg in group.leg_views if leg.held_quantity]
    if not held:
        yield ["Holds ", ("b", "nothing"), "."]
    for leg in held:
        line: Line = ["Holds ", ("b", f"{_direction(leg)} {leg.held_quantity.normalize():f} {leg.symbol}")]
        line.append(f" at {leg.venue}" + ("" if leg.entry_price is None else f" from {leg.entry_price.normalize():,f}"))
        yield [*line, ", ", _result(leg.unrealized_pnl, currency)]


def _protection(now: SessionNow, currency: str) -> Iterator[Line]:
    """Where the stop is, and what it would cost from the entry."""
    for group in now.groups:
        for leg in group.leg_views:
            if leg.stop_price is not None:
                line: Line = ["Stop at ", ("b", f"{leg.stop_price.normalize():,f}")]
                if leg.entry_price is not None and leg.held_quantity:
                    moved = leg.stop_price - leg.entry_price if leg.side == "buy" else leg.entry_price - leg.stop_price
                    line += [", then ", _result(moved * leg.held_quantity, currency), " before fees"]
                yield line
            if leg.target_price is not None:
                yield ["Target at ", ("b", f"{leg.target_price.normalize():,f}")]


def _waits(now: SessionNow) -> Iterator[Line]:
    waiting = sorted(
        (one for one in now.conditions if not one.is_true), key=lambda one: (one.distance is None, one.distance or 0.0)
    )
    for one in waiting[:MOST_CONDITIONS]:
        yield _condition(one)
    if len(waiting) > MOST_CONDITIONS:
        yield [f"and {len(waiting) - MOST_CONDITIONS} more conditions"]
    if now.next_bar_ns is not None:
        left_s = max(0, math.ceil((now.next_bar_ns - now.time_ns) / 1e9))
        yield ["Next decision when the bar closes, in ", ("b", f"{left_s // 60}:{left_s % 60:02d}")]


def _condition(one: ConditionView) -> Line:
    field, place = one.field.replace("_", " ").lower(), OPERATOR_WORDS.get(one.operator, one.operator)
    line: Line = [f"Waits for {field} ", ("b", f"{place} {_figure(one.threshold)}")]
    if one.value is None:
        return [*line, "; it is not known yet"]
    line.append(f"; it is {_figure(one.value)}")
    return line if one.distance is None else [*line, f", {_figure(max(one.distance, 0.0))} away"]


def _figure(value: float) -> str:
    """Three digits are enough to see how far it is; a small one is not written with a power of ten."""
    text = f"{value:.2f}" if abs(value) < 10 else f"{value:,.4g}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def _guards(now: SessionNow) -> Line:
    failing = [one for one in now.guards if not one.passes]
    if not failing:
        return ["Guards: ", ("b", "all pass")]
    sentences = dict.fromkeys(map(_guard, failing))  # a paused session fails two guards
    return ["Guards: ", ("b", "no entry now"), f". {' '.join(sentences)}"]


def _guard(one: GuardView) -> str:
    """Why it does not pass, as a sentence."""
    name, _, subject = one.name.partition(" ")
    if one.name == "session":
        return f"The session is {one.figure}."
    if one.name in FLAG_SENTENCES:
        return FLAG_SENTENCES[one.name]
    if name == "max_open_positions":
        return f"{one.figure} positions, {one.allowed} allowed."
    if name == "max_quote_age_ms":
        return f"{subject}: {one.figure}" + ("." if one.allowed == "none" else f", {one.allowed} allowed.")
    return f"{one.name.replace('_', ' ')} {one.figure} (allowed {one.allowed})."


def _direction(leg: LegView) -> str:
    return "▲ long" if leg.side == "buy" else "▼ short"


def _result(amount: Decimal | None, currency: str) -> Part:
    if amount is None:
        return "not priced yet"
    text = f"{amount:+,.2f} {currency}".replace("-", "−")
    return ("up" if amount > 0 else "down" if amount < 0 else "b", text)
