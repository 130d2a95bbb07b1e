"""A simulated venue's perpetuals in MEXC's JSON of contracts. Figures are numbers, a contract is one of the base."""

from typing import Any

from workstation.model.durations import MS_NS
from workstation.model.units import Side
from workstation.simulator.bar_history import Candle
from workstation.simulator.funding import CYCLE_HOURS, MOST_RATE, Funding, FundingRate
from workstation.simulator.market_queries import Day
from workstation.simulator.venue_market import VenueMarket, decimals_of
from workstation.simulator.venue_orders import Traded

Json = dict[str, Any]
CONTRACT_SIZE = 1
"""In base currency; at the real venue most are smaller."""
ENABLED = 0
SIDES = {Side.BUY: 1, Side.SELL: 2}


def contract_rules(market: VenueMarket) -> Json:
    """One entry of detail."""
    instrument = market.instrument
    lot, tick = float(instrument.lot_size), float(instrument.tick_size)
    return {
        "symbol": market.name,
        "displayName": f"{market.name} PERPETUAL",
        "displayNameEn": f"{market.name} PERPETUAL",
        "positionOpenType": 3,
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "settleCoin": instrument.quote,
        "contractSize": CONTRACT_SIZE,
        "minLeverage": 1,
        "maxLeverage": 1,
        "priceScale": decimals_of(instrument.tick_size),
        "volScale": decimals_of(instrument.lot_size),
        "amountScale": 4,
        "priceUnit": tick,
        "volUnit": lot,
        "minVol": float(instrument.min_quantity),
        "maxVol": 1_000_000,
        "takerFeeRate": float(instrument.taker_fee_rate),
        "makerFeeRate": float(instrument.maker_fee_rate),
        "maintenanceMarginRate": 0.004,
        "initialMarginRate": 1.0,
        "indexOrigin": [instrument.venue.upper()],
        "state": ENABLED,
        "isNew": False,
        "isHot": True,
        "isHidden": False,
        "apiAllowed": False,
    }


def milliseconds(ts_ns: int) -> int:
    return ts_ns // MS_NS


def contract_levels(market: VenueMarket, levels: dict[int, int], limit: int | None = None) -> list[list[float]]:
    """[price, quantity, orders] of each level, or of the first `limit`; 0 is a level that is gone."""
    return [
        [market.float_price(price), market.float_quantity(lots), 1 if lots else 0]
        for price, lots in list(levels.items())[:limit]
    ]


def contract_trade(trade: Traded) -> Json:
    """One deal, as queries and the stream tell it."""
    side = Side.SELL if trade.seller_takes else Side.BUY
    return {
        "p": trade.price,
        "v": trade.quantity,
        "T": SIDES[side],
        "O": 3,
        "M": 2,
        "t": milliseconds(trade.ts_ns),
    }


def contract_candle(market: VenueMarket, candle: Candle, label: str) -> Json:
    """One push of a candle; `q` is in contracts, `a` in quote currency."""
    return {
        "symbol": market.name,
        "interval": label,
        "t": milliseconds(candle.ts_open) // 1000,
        "o": candle.open,
        "c": candle.close,
        "h": candle.high,
        "l": candle.low,
        "a": turnover(candle),
        "q": round(candle.volume, 8),
        "ro": candle.open,
        "rc": candle.close,
        "rh": candle.high,
        "rl": candle.low,
    }


def turnover(candle: Candle) -> float:
    return round(candle.volume * (candle.open + candle.close) / 2, 4)


def contract_ticker(funding: Funding, day: Day, now_ns: int) -> Json:
    """Best prices without quantities, fair and index price, the rate to come, and the last 24 hours."""
    market = funding.perpetual
    touch = market.book.touch()
    bid, ask = (0.0, 0.0) if touch is None else (market.float_price(touch.bid), market.float_price(touch.ask))
    return {
        "symbol": market.name,
        "lastPrice": day.last,
        "bid1": bid,
        "ask1": ask,
        "volume24": round(day.volume, 8),
        "amount24": round(day.quote_volume, 4),
        "holdVol": 0,
        "lower24Price": day.low,
        "high24Price": day.high,
        "riseFallRate": round(day.last / day.open - 1, 4) if day.open else 0,
        "riseFallValue": round(day.last - day.open, 8),
        "indexPrice": funding.index(),
        "fairPrice": funding.mark(),
        "fundingRate": funding.coming(now_ns).rate,
        "maxBidPrice": round(day.last * 1.1, 8),
        "minAskPrice": round(day.last * 0.9, 8),
        "timestamp": milliseconds(now_ns),
    }


def rate_to_come(market: VenueMarket, coming: FundingRate, now_ns: int) -> Json:
    return {
        "symbol": market.name,
        "fundingRate": coming.rate,
        "maxFundingRate": MOST_RATE,
        "minFundingRate": -MOST_RATE,
        "collectCycle": CYCLE_HOURS,
        "nextSettleTime": milliseconds(coming.settles_ns),
        "timestamp": milliseconds(now_ns),
    }


def rate_paid(market: VenueMarket, paid: FundingRate) -> Json:
    return {
        "symbol": market.name,
        "fundingRate": paid.rate,
        "settleTime": milliseconds(paid.settles_ns),
        "collectCycle": CYCLE_HOURS,
    }
