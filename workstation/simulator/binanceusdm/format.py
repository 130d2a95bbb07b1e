"""A simulated venue's perpetuals in the JSON of Binance's USD-M futures. Amounts are strings on the market's grid."""

from typing import Any

from workstation.model.durations import DAY_NS, MS_NS
from workstation.model.instrument import Instrument, InstrumentKind
from workstation.simulator.bar_history import Candle
from workstation.simulator.binanceusdm.weights import MOST_WEIGHT
from workstation.simulator.funding import CYCLE_HOURS, INTEREST, MOST_RATE, Funding, FundingRate
from workstation.simulator.market_queries import Day
from workstation.simulator.venue_market import VenueMarket, decimals_of, joined_name
from workstation.simulator.venue_orders import Traded

Json = dict[str, Any]
NEVER_MS = 4_133_404_800_000
"""When a perpetual is delivered."""
LISTED_MS = 1_569_398_400_000
RATE_LIMITS = [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": MOST_WEIGHT}]


def market_name(instrument: Instrument) -> str:
    """BTCUSDT; what a perpetual's index is made of is no market here, and has a dot before it."""
    name = joined_name(instrument)
    return name if instrument.kind is InstrumentKind.LINEAR else f".{name}"


def milliseconds(ts_ns: int) -> int:
    return ts_ns // MS_NS


def rate_text(rate: float) -> str:
    return f"{rate:.8f}"


def symbol_rules(market: VenueMarket) -> Json:
    """One entry of exchangeInfo."""
    instrument = market.instrument
    tick, lot = f"{instrument.tick_size:f}", f"{instrument.lot_size:f}"
    most_price, most_quantity = (
        market.price_text(market.float_price(10**7)),
        market.quantity_text(market.float_quantity(10**6)),
    )
    lots = {"minQty": f"{instrument.min_quantity:f}", "maxQty": most_quantity, "stepSize": lot}
    return {
        "symbol": market.name,
        "pair": market.name,
        "contractType": "PERPETUAL",
        "deliveryDate": NEVER_MS,
        "onboardDate": LISTED_MS,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "marginAsset": instrument.quote,
        "pricePrecision": decimals_of(instrument.tick_size),
        "quantityPrecision": decimals_of(instrument.lot_size),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": most_price, "tickSize": tick},
            {"filterType": "LOT_SIZE", **lots},
            {"filterType": "MARKET_LOT_SIZE", **lots},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": f"{instrument.min_notional_quote:f}"},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.0500",
                "multiplierDown": "0.9500",
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }


def levels(market: VenueMarket, side: dict[int, int], limit: int | None = None) -> list[list[str]]:
    """Book levels as [price, quantity], or the first `limit` of them."""
    return [
        [market.price_text(market.float_price(price)), market.quantity_text(market.float_quantity(lots))]
        for price, lots in list(side.items())[:limit]
    ]


def public_trade(market: VenueMarket, trade: Traded) -> Json:
    """One entry of trades."""
    return {
        "id": trade.trade_id,
        "price": market.price_text(trade.price),
        "qty": market.quantity_text(trade.quantity),
        "quoteQty": f"{trade.price * trade.quantity:.2f}",
        "time": milliseconds(trade.ts_ns),
        "isBuyerMaker": trade.seller_takes,
    }


def aggregate_trade(market: VenueMarket, trade: Traded) -> Json:
    """One entry of aggTrades, and the body of its stream's message. Each trade is an aggregate of its own."""
    return {
        "a": trade.trade_id,
        "p": market.price_text(trade.price),
        "q": market.quantity_text(trade.quantity),
        "f": trade.trade_id,
        "l": trade.trade_id,
        "T": milliseconds(trade.ts_ns),
        "m": trade.seller_takes,
    }


def kline(market: VenueMarket, candle: Candle, interval_ns: int, *, has_volume: bool = True) -> list[Any]:
    """One entry of klines; the number of trades is not known and 0. Those of mark and index have no volume."""
    prices = [market.price_text(value) for value in candle[1:5]]
    volume = candle.volume if has_volume else 0.0
    close_ms = milliseconds(candle.ts_open + interval_ns) - 1
    quote = volume * (candle.open + candle.close) / 2
    told = (market.quantity_text(volume), close_ms, f"{quote:.4f}", 0, market.quantity_text(volume / 2))
    return [milliseconds(candle.ts_open), *prices, *told, f"{quote / 2:.4f}", "0"]


def best_prices(market: VenueMarket, now_ns: int) -> Json:
    """One entry of ticker/bookTicker."""
    bid, bid_lots, ask, ask_lots = market.book.touch() or (0, 0, 0, 0)
    now_ms = milliseconds(now_ns)
    return {
        "symbol": market.name,
        "bidPrice": market.price_text(market.float_price(bid)),
        "bidQty": market.quantity_text(market.float_quantity(bid_lots)),
        "askPrice": market.price_text(market.float_price(ask)),
        "askQty": market.quantity_text(market.float_quantity(ask_lots)),
        "time": now_ms,
        "lastUpdateId": market.update_id,
    }


def day_ticker(market: VenueMarket, day: Day, now_ns: int) -> Json:
    """One entry of ticker/24hr: without best prices, unlike that of spot."""
    latest = market.trades[-1] if market.trades else None
    mean = day.quote_volume / day.volume if day.volume else day.last
    return {
        "symbol": market.name,
        "priceChange": market.price_text(day.last - day.open),
        "priceChangePercent": f"{(day.last / day.open - 1) * 100:.3f}" if day.open else "0.000",
        "weightedAvgPrice": market.price_text(mean),
        "lastPrice": market.price_text(day.last),
        "lastQty": market.quantity_text(latest.quantity if latest else 0.0),
        "openPrice": market.price_text(day.open),
        "highPrice": market.price_text(day.high),
        "lowPrice": market.price_text(day.low),
        "volume": market.quantity_text(day.volume),
        "quoteVolume": f"{day.quote_volume:.2f}",
        "openTime": milliseconds(now_ns - DAY_NS),
        "closeTime": milliseconds(now_ns),
        "firstId": market.trades[0].trade_id if market.trades else -1,
        "lastId": latest.trade_id if latest else -1,
        "count": len(market.trades),
    }


def premium_index(funding: Funding, now_ns: int) -> Json:
    """Mark and index price; the rate, named the last one, is the one to come as far as it is known."""
    market, coming = funding.perpetual, funding.coming(now_ns)
    return {
        "symbol": market.name,
        "markPrice": market.price_text(funding.mark()),
        "indexPrice": market.price_text(funding.index()),
        "estimatedSettlePrice": market.price_text(funding.index()),
        "lastFundingRate": rate_text(coming.rate),
        "interestRate": rate_text(INTEREST),
        "nextFundingTime": milliseconds(coming.settles_ns),
        "time": milliseconds(now_ns),
    }


def mark_update(funding: Funding, now_ns: int) -> Json:
    """The same as the stream tells it."""
    told = premium_index(funding, now_ns)
    names = {"s": "symbol", "p": "markPrice", "i": "indexPrice", "P": "estimatedSettlePrice", "r": "lastFundingRate"}
    return {
        "e": "markPriceUpdate",
        "E": told["time"],
        **{short: told[name] for short, name in names.items()},
        "T": told["nextFundingTime"],
    }


def rate_paid(market: VenueMarket, paid: FundingRate, mark: float) -> Json:
    return {
        "symbol": market.name,
        "fundingTime": milliseconds(paid.settles_ns),
        "fundingRate": rate_text(paid.rate),
        "markPrice": market.price_text(mark),
    }


def rate_bounds(market: VenueMarket) -> Json:
    """One entry of fundingInfo."""
    return {
        "symbol": market.name,
        "adjustedFundingRateCap": rate_text(MOST_RATE),
        "adjustedFundingRateFloor": rate_text(-MOST_RATE),
        "fundingIntervalHours": CYCLE_HOURS,
        "disclaimer": False,
    }
