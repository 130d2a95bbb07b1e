"""The last trades of a result, as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from workstation.cli.tables import aligned

SHOWN = 8
COLUMNS = {
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
    """The last SHOWN of a result's trades; money in `currency`."""
    if not trades:
        return "no trades"
    names = [name for name in COLUMNS if name in trades[0]]
    money = {"fees_quote", "pnl_quote"}
    header = [f"{COLUMNS[name]} ({currency})" if name in money else COLUMNS[name] for name in names]
    rows = [[_shown(name, trade[name]) for name in names] for trade in trades[-SHOWN:]]
    right = frozenset(place for place, name in enumerate(names) if name not in TEXTS)
    return f"last {len(rows)} of {len(trades)} trades\n{aligned(header, rows, right=right)}"


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name.endswith("_time"):
        return str(value).replace("T", " ").removesuffix("Z")
    if name in ("fees_quote", "pnl_quote"):
        return f"{float(value):,.2f}"
    if name in TEXTS:
        return str(value)
    return f"{float(value):,.8g}" if name == "quantity" else f"{float(value):,.10g}"
