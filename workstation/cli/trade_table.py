"""The last trades of a result, as a table."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from workstation.cli.tables import aligned

if TYPE_CHECKING:
    from workstation.session.manifest import RunManifest

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
BAR_ENDS = {"entry_time": "ENTRY, BAR END (UTC)", "exit_time": "EXIT, BAR END (UTC)"}
"""A replay of bars tells of a fill when its bar has ended, also of one at the opening."""
TEXTS = ("instrument", "side", "entry_time", "exit_time", "exit_reason")


def last_trades(trades: Sequence[Mapping[str, Any]], currency: str, *, at_bar_ends: bool = False) -> str:
    """The last SHOWN rows of a result's trades, and no part of a trade; money in `currency`.

    `at_bar_ends` says that the times are the ends of the bars in which it was traded.
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
    titles = COLUMNS | BAR_ENDS if at_bar_ends else COLUMNS
    header = [f"{titles[name]} ({currency})" if name in money else titles[name] for name in names]
    rows = [[_shown(name, trade[name]) for name in names] for trade in shown]
    right = frozenset(place for place, name in enumerate(names) if name not in TEXTS)
    return f"last {numbers[-1] - first + 1} of {numbers[-1]} trades\n{aligned(header, rows, right=right)}"


def trades_of_replay(content: Mapping[str, Any], manifest: "RunManifest") -> str:
    """The table of a replay, of its result as a dict."""
    return last_trades(content["trades"], manifest.session.currency, at_bar_ends=manifest.paper.on_bars)


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
