"""MEXC's public REST of linear perpetuals: rules, book, deals, candles, prices and funding of a simulated venue."""

from collections.abc import Callable
from typing import Any

from workstation.model.durations import SECOND_NS
from workstation.simulator.bar_history import BarHistory, interval_start
from workstation.simulator.book_view import BookView
from workstation.simulator.funding import Funding
from workstation.simulator.market_queries import candles_between, day_of
from workstation.simulator.mexc.contract_format import (
    Json,
    contract_levels,
    contract_rules,
    contract_ticker,
    contract_trade,
    contracts_of,
    milliseconds,
    rate_paid,
    rate_to_come,
    turnover,
)
from workstation.simulator.mexc.errors import NO_CONTRACT, PARAMETER, MexcError
from workstation.simulator.mexc.requests import required, whole
from workstation.simulator.mexc.spot_streams import INTERVALS_NS
from workstation.simulator.request_fields import Fields
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.wire import WireParts

MOST_CANDLES = 2000
MOST_DEALS = 100
MOST_LEVELS = 1000
MOST_RATES = 1000
USUAL_PAGE = 20
HISTORY_CYCLES = 90
"""So many settled rates are kept, a month of them."""
Handler = Callable[[Fields], Any]


class ContractData:
    """What everyone may ask. `publish` sends a book's pending change before a snapshot is taken of it."""

    def __init__(self, parts: WireParts, publish: Callable[[VenueMarket], BookView]) -> None:
        self._exchange, self._publish = parts.exchange, publish
        self.perpetuals = parts.perpetuals
        self.routes: dict[str, Handler] = {
            "/ping": lambda fields: milliseconds(parts.wall_ns()),
            "/detail": self.detail,
            "/support_currencies": lambda fields: list(dict.fromkeys(self._quote_of(one) for one in self._all())),
            "/ticker": self.tickers,
            "/funding_rate/history": self.rates_paid,
        }
        self.symbol_routes: dict[str, Handler] = {
            "/depth": self.depth,
            "/deals": self.deals,
            "/kline": lambda fields: self.candles(fields, self._asked(fields).history),
            "/kline/fair_price": lambda fields: self.candles(fields, self._asked(fields).history),
            "/kline/index_price": lambda fields: self.candles(fields, self._asked(fields).index_history),
            "/funding_rate": lambda fields: self.rate(self._asked(fields)),
            "/fair_price": lambda fields: self.price(self._asked(fields), "fairPrice"),
            "/index_price": lambda fields: self.price(self._asked(fields), "indexPrice"),
        }
        """With the symbol behind them."""

    def detail(self, fields: Fields) -> Any:
        if "symbol" in fields:
            return contract_rules(self._asked(fields).perpetual)
        return [contract_rules(funding.perpetual) for funding in self._all()]

    def tickers(self, fields: Fields) -> Any:
        if "symbol" in fields:
            return self.ticker(self._asked(fields))
        return [self.ticker(funding) for funding in self._all()]

    def ticker(self, funding: Funding) -> Json:
        now_ns = self._exchange.now_ns
        return contract_ticker(funding, day_of(funding.history, funding.perpetual, now_ns), now_ns)

    def depth(self, fields: Fields) -> Json:
        market, limit = self._asked(fields).perpetual, whole(fields, "limit", MOST_LEVELS, MOST_LEVELS)
        view = self._publish(market)
        bids, asks = (contract_levels(market, side, limit) for side in view.levels())
        now_ms = milliseconds(self._exchange.now_ns)
        return {"asks": asks, "bids": bids, "version": view.update_id, "timestamp": now_ms}

    def deals(self, fields: Fields) -> list[Json]:
        """The newest first."""
        market, limit = self._asked(fields).perpetual, whole(fields, "limit", MOST_DEALS, MOST_DEALS)
        return [contract_trade(market, trade) for trade in reversed(list(market.trades)[-limit:] if limit else [])]

    def candles(self, fields: Fields, history: BarHistory) -> Json:
        """By columns, oldest first; `start` and `end` are in s, both within."""
        market, length_ns = self._asked(fields).perpetual, INTERVALS_NS.get(fields.get("interval", "Min1"))
        if length_ns is None:
            raise MexcError(*PARAMETER)
        start_ns = None
        if "start" in fields:
            start_ns = interval_start(whole(fields, "start", 0, 2**33) * SECOND_NS, length_ns)
        found = candles_between(
            history,
            market,
            self._exchange.now_ns,
            length_ns=length_ns,
            start_ns=start_ns,
            stop_ns=(whole(fields, "end", 2**33) + 1) * SECOND_NS,
            limit=MOST_CANDLES,
        )
        columns = {name: [getattr(one, name) for one in found] for name in ("open", "close", "high", "low")}
        return {
            "time": [milliseconds(one.ts_open) // 1000 for one in found],
            **columns,
            "vol": [contracts_of(market.instrument, one.volume) for one in found],
            "amount": [turnover(one) for one in found],
        }

    def rate(self, funding: Funding) -> Json:
        now_ns = self._exchange.now_ns
        return rate_to_come(funding.perpetual, funding.coming(now_ns), now_ns)

    def rates_paid(self, fields: Fields) -> Json:
        """A page of those of the last month, the newest first."""
        funding = self._asked(fields)
        size = max(whole(fields, "page_size", USUAL_PAGE, MOST_RATES), 1)
        page = max(whole(fields, "page_num", 1), 1)
        skip = (page - 1) * size
        found = funding.settled(self._exchange.now_ns, max(min(size, HISTORY_CYCLES - skip), 0), skip)
        return {
            "pageSize": size,
            "totalCount": HISTORY_CYCLES,
            "totalPage": -(-HISTORY_CYCLES // size),
            "currentPage": page,
            "resultList": [rate_paid(funding.perpetual, one) for one in found],
        }

    def price(self, funding: Funding, name: str) -> Json:
        """The fair price or the index."""
        value = funding.mark() if name == "fairPrice" else funding.index()
        now_ms = milliseconds(self._exchange.now_ns)
        return {"symbol": funding.perpetual.name, name: value, "timestamp": now_ms}

    def _all(self) -> list[Funding]:
        return list(self.perpetuals.values())

    def _quote_of(self, funding: Funding) -> str:
        return funding.perpetual.instrument.quote

    def _asked(self, fields: Fields) -> Funding:
        """Raises MexcError for a contract that is not listed."""
        found = self.perpetuals.get(required(fields, "symbol"))
        if found is None:
            raise MexcError(*NO_CONTRACT)
        return found
