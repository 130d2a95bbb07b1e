"""Bars built from public trades: closed at their end by the clock of the rows, whether or not a trade came."""

from typing import NamedTuple

from workstation.model.ids import SlotIndex
from workstation.windows.specs import WindowKind
from workstation.windows.tables import NEVER, Tables


class ClosedBar(NamedTuple):
    """One closed bar: prices in quote currency, volume in base; without a trade all prices are the last close."""

    instrument: int
    interval_ns: int
    ts_open: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    slot: SlotIndex | None = None


def close_due_bars(tables: Tables, due_ns: int) -> list[ClosedBar]:
    """Closes every bar in the making that ends at `due_ns` or before, in slot order, and starts the next one."""
    closed = []
    for index in range(len(tables.slots)):
        slot = tables.slots[index]
        if slot["kind"] != WindowKind.TRADE_BARS or slot["volume"] != slot["volume"] or slot["bucket_end"] > due_ns:
            continue
        length = int(slot["resolution_ns"])
        closed.append(
            ClosedBar(
                instrument=int(slot["instrument_a"]),
                interval_ns=length,
                ts_open=int(slot["bucket_end"]) - length,
                open=float(slot["open"]),
                high=float(slot["high"]),
                low=float(slot["low"]),
                close=float(slot["current"]),
                volume=float(slot["volume"]),
                slot=SlotIndex(index),
            )
        )
        slot["bucket_end"] += length
        slot["open"] = slot["high"] = slot["low"] = slot["current"]
        slot["volume"] = 0.0
    tables.clock["bar_due"] = next_bar_due(tables)
    return closed


def next_bar_due(tables: Tables) -> int:
    """The nearest end of a bar in the making; NEVER where none is."""
    slots = tables.slots
    waiting = (slots["kind"] == WindowKind.TRADE_BARS) & (slots["volume"] == slots["volume"])
    return int(slots["bucket_end"][waiting].min()) if waiting.any() else NEVER
