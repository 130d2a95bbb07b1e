"""A simulated venue's rules, prices and times in the JSON of OANDA. Figures are text, liquidity is a number."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from workstation.model.durations import SECOND_NS
from workstation.model.instrument import Instrument
from workstation.model.units import Side
from workstation.simulator.number_text import plain
from workstation.simulator.venue_market import VenueMarket, decimals_of

USER_ID = 10_001
CENT_OF_CENT = Decimal("0.0001")
MOST_UNITS = Decimal(100_000_000)
Json = dict[str, Any]


def instrument_name(instrument: Instrument) -> str:
    """EUR_USD."""
    return f"{instrument.base}_{instrument.quote}"


def rfc3339(ts_ns: int) -> str:
    """2016-10-05T05:28:16.729643492Z."""
    seconds, rest = divmod(ts_ns, SECOND_NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def money(amount: Decimal) -> str:
    """Of an account, with four decimals."""
    return f"{amount.quantize(CENT_OF_CENT):f}"


def instrument_rules(market: VenueMarket) -> Json:
    """One entry of an account's instruments."""
    instrument = market.instrument
    decimals = decimals_of(instrument.tick_size)
    return {
        "name": market.name,
        "type": "CURRENCY",
        "displayName": f"{instrument.base}/{instrument.quote}",
        "pipLocation": 1 - decimals,
        "displayPrecision": decimals,
        "tradeUnitsPrecision": decimals_of(instrument.lot_size),
        "minimumTradeSize": plain(instrument.min_quantity),
        "maximumTrailingStopDistance": "1.00000",
        "minimumTrailingStopDistance": "0.00050",
        "maximumPositionSize": "0",
        "maximumOrderUnits": plain(MOST_UNITS),
        "marginRate": "1",
        "guaranteedStopLossOrderMode": "DISABLED",
        "tags": [{"type": "ASSET_CLASS", "name": "CURRENCY"}],
    }


def price_fields(market: VenueMarket, best: tuple[float, float, float, float], ts_ns: int, *, is_open: bool) -> Json:
    """A price; `best` is bid, its quantity, ask, its quantity."""
    bid, bid_quantity, ask, ask_quantity = best
    bid_text, ask_text = market.price_text(bid), market.price_text(ask)
    return {
        "type": "PRICE",
        "time": rfc3339(ts_ns),
        "bids": [{"price": bid_text, "liquidity": int(bid_quantity)}],
        "asks": [{"price": ask_text, "liquidity": int(ask_quantity)}],
        "closeoutBid": bid_text,
        "closeoutAsk": ask_text,
        "status": "tradeable" if is_open else "non-tradeable",
        "tradeable": is_open,
        "instrument": market.name,
    }


def best_of(market: VenueMarket) -> tuple[float, float, float, float] | None:
    """Bid, its quantity, ask, its quantity, as the book stands; None without both."""
    touch = market.book.touch()
    if touch is None:
        return None
    return (
        market.float_price(touch.bid),
        market.float_quantity(touch.bid_lots),
        market.float_price(touch.ask),
        market.float_quantity(touch.ask_lots),
    )


def signed(side: Side, quantity: Decimal) -> Decimal:
    """Units: below zero for what is sold."""
    return quantity if side is Side.BUY else -quantity
