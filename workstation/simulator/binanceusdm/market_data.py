"""The public REST of Binance's USD-M futures: rules, book, trades and candles of a simulated venue's perpetuals."""

from collections.abc import Callable, Mapping
from typing import Any

from workstation.model.durations import HOUR_NS, MS_NS
from workstation.simulator.bar_history import BarHistory
from workstation.simulator.binanceusdm.errors import EMPTY_COMBINATION, INVALID_SYMBOL, LONG_SPAN, UsdmError
from workstation.simulator.binanceusdm.format import (
    RATE_LIMITS,
    Json,
    aggregate_trade,
    best_prices,
    day_ticker,
    kline,
    levels,
    milliseconds,
    public_trade,
    symbol_rules,
)
from workstation.simulator.binanceusdm.funding_data import FundingData
from workstation.simulator.binanceusdm.requests import kline_interval, required, whole
from workstation.simulator.funding import Funding
from workstation.simulator.market_queries import candles_between, day_of, last_price
from workstation.simulator.request_fields import Fields
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.wire import WireParts

DEPTHS = (5, 10, 20, 50, 100, 500, 1000)
USUAL_LIMIT = 500
MOST_TRADES = 1000
MOST_KLINES = 1500
ROOT = "/fapi/v1"
Handler = Callable[[Fields], Any]


class MarketData:
    """What everyone may ask. `publish` sends a book's pending change before a snapshot is taken of it."""

    def __init__(self, parts: WireParts, publish: Callable[[VenueMarket], None]) -> None:
        self._exchange, self._publish = parts.exchange, publish
        self.perpetuals: Mapping[str, Funding] = parts.perpetuals
        funding = FundingData(parts, self.asked)
        self.routes: dict[str, Handler] = {
            f"{ROOT}/ping": lambda fields: {},
            f"{ROOT}/time": lambda fields: {"serverTime": milliseconds(parts.wall_ns())},
            f"{ROOT}/exchangeInfo": self.exchange_info,
            f"{ROOT}/depth": self.depth,
            f"{ROOT}/trades": self.trades,
            f"{ROOT}/historicalTrades": self.trades,
            f"{ROOT}/aggTrades": self.aggregate_trades,
            f"{ROOT}/klines": lambda fields: self.klines(fields, self._named(fields).history),
            f"{ROOT}/markPriceKlines": lambda fields: self.klines(
                fields, self._named(fields).history, has_volume=False
            ),
            f"{ROOT}/indexPriceKlines": self.index_klines,
            f"{ROOT}/ticker/24hr": lambda fields: self.asked(fields, self.day),
            f"{ROOT}/ticker/bookTicker": lambda fields: self.asked(
                fields, lambda one: best_prices(one.perpetual, self._exchange.now_ns)
            ),
            f"{ROOT}/ticker/price": lambda fields: self.asked(fields, self._price),
            "/fapi/v2/ticker/price": lambda fields: self.asked(fields, self._price),
            f"{ROOT}/premiumIndex": funding.premium_index,
            f"{ROOT}/fundingRate": funding.rates_paid,
            f"{ROOT}/fundingInfo": funding.bounds,
        }

    def exchange_info(self, fields: Fields) -> Json:
        quotes = dict.fromkeys(one.perpetual.instrument.quote for one in self.perpetuals.values())
        return {
            "timezone": "UTC",
            "serverTime": milliseconds(self._exchange.now_ns),
            "futuresType": "U_MARGINED",
            "rateLimits": RATE_LIMITS,
            "exchangeFilters": [],
            "assets": [{"asset": name, "marginAvailable": True, "autoAssetExchange": "0"} for name in quotes],
            "symbols": [symbol_rules(one.perpetual) for one in self.perpetuals.values()],
        }

    def depth(self, fields: Fields) -> Json:
        market, limit = self._named(fields).perpetual, whole(fields, "limit", USUAL_LIMIT)
        if limit not in DEPTHS:
            raise UsdmError(-4021, f"'{limit}' is not valid depth limit.")
        self._publish(market)
        last_id, bids, asks = market.depth()
        now_ms = milliseconds(self._exchange.now_ns)
        return {
            "lastUpdateId": last_id,
            "E": now_ms,
            "T": now_ms,
            "bids": levels(market, bids, limit),
            "asks": levels(market, asks, limit),
        }

    def trades(self, fields: Fields) -> list[Json]:
        """The newest, or those from an id on; oldest first."""
        market, limit = self._named(fields).perpetual, whole(fields, "limit", USUAL_LIMIT, MOST_TRADES)
        first_id = whole(fields, "fromId", 0)
        chosen = [trade for trade in market.trades if trade.trade_id >= first_id]
        return [public_trade(market, trade) for trade in (chosen[:limit] if first_id else chosen[-limit:])]

    def aggregate_trades(self, fields: Fields) -> list[Json]:
        """Oldest first: from an id or a time on the first of them, else the newest."""
        market, limit = self._named(fields).perpetual, whole(fields, "limit", USUAL_LIMIT, MOST_TRADES)
        first_id, start_ms = whole(fields, "fromId", 0), whole(fields, "startTime", 0)
        stop_ms = whole(fields, "endTime", 2**53)
        by_time = {"startTime", "endTime"} & fields.keys()
        if "fromId" in fields and by_time:
            raise UsdmError(*EMPTY_COMBINATION)
        if len(by_time) == 2 and stop_ms - start_ms > HOUR_NS // MS_NS:
            raise UsdmError(*LONG_SPAN)
        chosen = [
            trade
            for trade in market.trades
            if trade.trade_id >= first_id and start_ms <= milliseconds(trade.ts_ns) <= stop_ms
        ]
        is_forward = "fromId" in fields or "startTime" in fields
        return [aggregate_trade(market, trade) for trade in (chosen[:limit] if is_forward else chosen[-limit:])]

    def klines(self, fields: Fields, history: BarHistory, *, has_volume: bool = True) -> list[list[Any]]:
        """Oldest first; `startTime` and `endTime` are both within."""
        market, length_ns = self._named(fields).perpetual, kline_interval(required(fields, "interval"))
        found = candles_between(
            history,
            market,
            self._exchange.now_ns,
            length_ns=length_ns,
            start_ns=whole(fields, "startTime", 0) * MS_NS if "startTime" in fields else None,
            stop_ns=whole(fields, "endTime", 2**43) * MS_NS + MS_NS,
            limit=whole(fields, "limit", USUAL_LIMIT, MOST_KLINES),
        )
        return [kline(market, one, length_ns, has_volume=has_volume) for one in found]

    def index_klines(self, fields: Fields) -> list[list[Any]]:
        """Of a pair, which is called as its perpetual is."""
        named = {**fields, "symbol": required(fields, "pair")}
        return self.klines(named, self._named(named).index_history, has_volume=False)

    def day(self, funding: Funding) -> Json:
        now_ns = self._exchange.now_ns
        return day_ticker(funding.perpetual, day_of(funding.history, funding.perpetual, now_ns), now_ns)

    def asked(self, fields: Fields, one: Callable[[Funding], Json]) -> Any:
        """Of the symbol, or a list of all where none is named."""
        if "symbol" in fields:
            return one(self._named(fields))
        return [one(funding) for funding in self.perpetuals.values()]

    def _price(self, funding: Funding) -> Json:
        market = funding.perpetual
        now_ms = milliseconds(self._exchange.now_ns)
        return {"symbol": market.name, "price": market.price_text(last_price(market)), "time": now_ms}

    def _named(self, fields: Fields) -> Funding:
        """Raises UsdmError for a symbol that is not listed."""
        found = self.perpetuals.get(required(fields, "symbol"))
        if found is None:
            raise UsdmError(*INVALID_SYMBOL)
        return found
