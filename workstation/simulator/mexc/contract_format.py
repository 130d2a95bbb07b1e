"""A simulated venue's perpetuals in MEXC's JSON of contracts. Figures are numbers, quantities count contracts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from workstation.model.durations import MS_NS
from workstation.model.instrument import Instrument
from workstation.model.units import MONEY, Side, grid_of, to_float
from workstation.simulator.bar_history import Candle
from workstation.simulator.funding import CYCLE_HOURS, MOST_RATE, Funding, FundingRate
from workstation.simulator.market_queries import Day
from workstation.simulator.venue_market import VenueMarket, decimals_of
from workstation.simulator.venue_orders import Traded

Json = dict[str, Any]
CONTRACT_SIZES: Mapping[str, Decimal] = {"BTC": Decimal("0.0001"), "ETH": Decimal("0.01"), "SOL": Decimal("0.1")}
"""Of the real venue, in base currency; of others here a contract is a lot."""
ENABLED = 0
SIDES = {Side.BUY: 1, Side.SELL: 2}


def contract_size(instrument: Instrument) -> Decimal:
    """In base currency. A lot is a whole number of contracts."""
    size = CONTRACT_SIZES.get(instrument.base, instrument.lot_size)
    return instrument.lot_size if instrument.lot_size % size else size


def contracts_of(instrument: Instrument, quantity: float) -> float:
    """How many contracts a quantity of the base is: of one on the lot's grid, a whole number."""
    grid = grid_of(contract_size(instrument))
    return round(quantity * grid.scale / grid.numerator, 8)


def contract_rules(market: VenueMarket) -> Json:
    """One entry of detail."""
    instrument = market.instrument
    size, tick = contract_size(instrument), to_float(instrument.tick_size)
    return {
        "symbol": market.name,
        "displayName": f"{market.name} PERPETUAL",
        "displayNameEn": f"{market.name} PERPETUAL",
        "positionOpenType": 3,
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "settleCoin": instrument.quote,
        "contractSize": to_float(size),
        "minLeverage": 1,
        "maxLeverage": 1,
        "priceScale": decimals_of(instrument.tick_size),
        "volScale": 0,
        "amountScale": 4,
        "priceUnit": tick,
        "volUnit": to_float(MONEY.divide(instrument.lot_size, size)),
        "minVol": to_float(MONEY.divide(instrument.min_quantity, size)),
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
    """[price, contracts, orders] of each level, or of the first `limit`; 0 is a level that is gone."""
    per_lot = contracts_of(market.instrument, to_float(market.instrument.lot_size))
    return [
        [market.float_price(price), lots * per_lot, 1 if lots else 0] for price, lots in list(levels.items())[:limit]
    ]


def contract_trade(market: VenueMarket, trade: Traded) -> Json:
    """One deal, as queries and the stream tell it."""
    side = Side.SELL if trade.seller_takes else Side.BUY
    return {
        "p": trade.price,
        "v": contracts_of(market.instrument, trade.quantity),
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
        "q": contracts_of(market.instrument, candle.volume),
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
        "volume24": contracts_of(market.instrument, day.volume),
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
