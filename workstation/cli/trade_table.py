"""The last trades of a result, as a table."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from workstation.cli.tables import aligned

SHOWN = 8
COLUMNS = {
    "trade": "TRADE",
    "instrument": "INSTRUMENT",
    "side": "SIDE",
    "entry_time": "ENTRY (UTC)",
    "exit_time": "EXIT (UTC)",
    "quantity": "QUANTITY",
    "entry_price": "ENTRY PRICE",
    "exit_price": "EXIT PRICE",
    "fees_quote": "FEES",
    "pnl_quote": "PNL",
    "exit_reason": "EXIT BY",
}
TEXTS = ("instrument", "side", "entry_time", "exit_time", "exit_reason")


def last_trades(trades: Sequence[Mapping[str, Any]], currency: str) -> str:
    """The last SHOWN rows of a result's trades, and no part of a trade; money in `currency`.

    Rows of one "group" are the legs of one trade: they are numbered by it where a trade has several.
    """
    if not trades:
        return "no trades"
    numbers = _trade_numbers(trades)
    first = numbers[-SHOWN:][0]
    if numbers.count(first) != numbers[-SHOWN:].count(first) and first != numbers[-1]:
        first += 1
    shown = [{"trade": number, **row} for number, row in zip(numbers, trades, strict=True) if number >= first]
    names = [name for name in COLUMNS if name in shown[0]]
    if numbers[-1] == len(trades):  # each has one leg
        names.remove("trade")
    money = {"fees_quote", "pnl_quote"}
    header = [f"{COLUMNS[name]} ({currency})" if name in money else COLUMNS[name] for name in names]
    rows = [[_shown(name, trade[name]) for name in names] for trade in shown]
    right = frozenset(place for place, name in enumerate(names) if name not in TEXTS)
    return f"last {numbers[-1] - first + 1} of {numbers[-1]} trades\n{aligned(header, rows, right=right)}"


def _trade_numbers(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """1, 2, … for each row; a row without a group is a trade of its own."""
    groups = [row.get("group", place) for place, row in enumerate(rows)]
    steps = (place == 0 or group != groups[place - 1] for place, group in enumerate(groups))
    return list(accumulate(map(int, steps)))


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name.endswith("_time"):
        return str(value).replace("T", " ").removesuffix("Z")
    if name in ("fees_quote", "pnl_quote"):
        return f"{float(value):,.2f}"
    if name in TEXTS or name == "trade":
        return str(value)
    return f"{float(value):,.8g}" if name == "quantity" else f"{float(value):,.10g}"
