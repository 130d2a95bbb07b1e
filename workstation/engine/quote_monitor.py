"""Quotes, last trades and running minutes as a viewer sees them; a view is made when somebody asks."""

import math
from collections.abc import Iterator
from typing import Any

from workstation.client.messages import BarView, QuoteView
from workstation.engine.tape import Tape
from workstation.model.durations import MS_NS
from workstation.model.market import (
    IntArray,
)
from workstation.session.market import Market

BAR_FIELDS = tuple(BarView.model_fields)


class QuoteMonitor:
    """One view for each instrument of the registry, at its number."""

    def __init__(self, market: Market, tape: Tape) -> None:
        self._market, self._tape = market, tape

    @property
    def changes(self) -> IntArray:
        """Of each instrument, how many rows have changed what is seen of it."""
        changes: IntArray = self._tape.lines["changes"]
        return changes

    @property
    def quotes(self) -> IntArray:
        """The same of quotes alone."""
        quotes: IntArray = self._tape.lines["quotes"]
        return quotes

    def symbol(self, place: int) -> str:
        return self._market.registry.key(place).symbol

    def views(self, now_ns: int, symbol: str | None = None) -> Iterator[QuoteView]:
        for place in range(len(self._market.registry)):
            if symbol is None or self.symbol(place) == symbol:
                yield QuoteView.model_validate(self.figures(place, now_ns))

    def figures(self, place: int, now_ns: int) -> dict[str, Any]:
        """A QuoteView's fields; plain, since one is written twenty times a second for each instrument."""
        key, quote = self._market.registry.key(place), fields_of(self._market.tables.instruments[place])
        received = quote["ts_received"]
        return {
            "venue": key.venue,
            "symbol": key.symbol,
            "bid": known(quote["bid"]),
            "ask": known(quote["ask"]),
            "bid_quantity": quote["bid_quantity"] if received else None,
            "ask_quantity": quote["ask_quantity"] if received else None,
            "age_ms": (now_ns - received) / 1e6 if received else None,
            "ts_received": received or None,
            **self._taped(place),
        }

    def bar_in_the_making(self, place: int) -> BarView | None:
        """The minute, of trades."""
        lines = self._tape.lines
        bar = bar_of(lines[place]["forming"].item()) if place < len(lines) else None
        return None if bar is None else BarView.model_validate(bar)

    def _taped(self, place: int) -> dict[str, Any]:
        lines = self._tape.lines
        if place >= len(lines):  # listed since the last row
            return dict.fromkeys(TAPED)
        line = fields_of(lines[place])
        price = known(line["trade_price"])
        return {
            "ts_event": line["quote_event"] or None,
            "last_price": price,
            "last_quantity": None if price is None else line["trade_quantity"],
            "last_side": None if price is None else "sell" if line["seller_takes"] else "buy",
            "last_event": line["trade_event"] or None,
            "last_received": line["trade_received"] or None,
            "mark_price": known(line["mark_price"]),
            "index_price": line["index_price"] or None,
            "funding_rate": known(line["funding_rate"]),
            "funding_due": line["funding_due_ms"] * MS_NS or None,
            "forming": bar_of(line["forming"]),
            "closed": bar_of(line["closed"]),
        }


TAPED = (
    *("ts_event", "last_price", "last_quantity", "last_side", "last_event", "last_received"),
    *("mark_price", "index_price", "funding_rate", "funding_due", "forming", "closed"),
)


def fields_of(row: Any) -> dict[str, Any]:
    """A row of a table as plain values: one call for all fields, since each one alone costs as much."""
    return dict(zip(row.dtype.names, row.item(), strict=True))


def known(value: float) -> float | None:
    """None for what is not known (NaN)."""
    return value if math.isfinite(value) else None


def bar_of(values: tuple[float, ...]) -> dict[str, float] | None:
    """A BarView's fields; None where there is no bar."""
    return None if math.isnan(values[-1]) else dict(zip(BAR_FIELDS, values, strict=True))
