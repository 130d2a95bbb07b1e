"""MEXC's channels of perpetuals of one simulated venue: events in, JSON out."""

import re
from collections import defaultdict
from typing import Any

import msgspec

from workstation.simulator.bar_history import Candle
from workstation.simulator.book_view import BookView
from workstation.simulator.message_coding import JsonCoding
from workstation.simulator.mexc.contract_data import ContractData
from workstation.simulator.mexc.contract_format import (
    Json,
    contract_candle,
    contract_levels,
    contract_trade,
    milliseconds,
)
from workstation.simulator.mexc.spot_streams import INTERVALS_NS
from workstation.simulator.publisher import Publisher
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import Traded
from workstation.simulator.wire import WireParts

FIGURES = frozenset({"p", "v", "bids", "asks", "o", "h", "l", "c", "q", "lastPrice", "bid1", "ask1", "rate"})
"""Fields of messages that hold prices or quantities."""
OF_A_SYMBOL = frozenset({"depth", "deal", "ticker", "funding.rate", "index.price", "fair.price"})
TICKERS = "push.tickers"
STREAM = re.compile(r"push\.(?:(depth|deal|ticker|funding\.rate|index\.price|fair\.price)|kline\.(\w+))\.(\w+)")


class ContractStreams:
    """Books each 20 ms, deals with each step, all else each second; streams are named push.<channel>.<symbol>."""

    def __init__(self, parts: WireParts) -> None:
        self._exchange, self._hub = parts.exchange, parts.hub
        self.publisher = Publisher(parts.exchange.venue, parts.hub, parts.menu, JsonCoding(FIGURES))
        self.perpetuals = parts.perpetuals
        self.data = ContractData(parts, self.publish_depth)
        self._views = {name: BookView(funding.perpetual) for name, funding in self.perpetuals.items()}
        self._trades: defaultdict[str, list[Json]] = defaultdict(list)

    def stream_of(self, channel: str, symbol: str, interval: str) -> str | None:
        """The stream that a request names; None where there is none."""
        if channel == "tickers":
            return TICKERS
        if symbol not in self.perpetuals:
            return None
        if channel == "kline":
            return f"push.kline.{interval}.{symbol}" if interval in INTERVALS_NS else None
        return f"push.{channel}.{symbol}" if channel in OF_A_SYMBOL else None

    def traded(self, event: Traded) -> None:
        if self._hub.is_wanted(f"push.deal.{event.market}"):
            self._trades[event.market].append(contract_trade(self.perpetuals[event.market].perpetual, event))

    def step_ended(self) -> None:
        """The deals of a step come together."""
        for name, trades in self._trades.items():
            self._push(f"push.deal.{name}", "push.deal", name, trades)
        self._trades.clear()

    def tell_books(self) -> None:
        for name, funding in self.perpetuals.items():
            if self._hub.is_wanted(f"push.depth.{name}"):
                self.publish_depth(funding.perpetual)

    def publish_depth(self, market: VenueMarket) -> BookView:
        """Sends what changed in the book since the last time; the view is then as of now."""
        view = self._views[market.name]
        change = view.change()
        if change is not None and self._hub.is_wanted(f"push.depth.{market.name}"):
            data = {
                "asks": contract_levels(market, change.asks),
                "bids": contract_levels(market, change.bids),
                "version": view.update_id,
                "begin": view.update_id,
                "end": view.update_id,
            }
            self._push(f"push.depth.{market.name}", "push.depth", market.name, data)
        return view

    def candle_stream(self, stream: str) -> tuple[VenueMarket, int] | None:
        match = STREAM.fullmatch(stream)
        if match is None or match[2] is None:
            return None
        return self.perpetuals[match[3]].perpetual, INTERVALS_NS[match[2]]

    def candle(self, stream: str, market: VenueMarket, candle: Candle) -> None:
        told = contract_candle(market, candle, stream.split(".")[2])
        self._push(stream, "push.kline", market.name, told)

    def each_second(self, stream: str) -> None:
        """What a channel tells that is told so often."""
        if stream == TICKERS:
            self._push(stream, TICKERS, None, [self.data.ticker(one) for one in self.perpetuals.values()])
            return
        match = STREAM.fullmatch(stream)
        if match is None or match[1] in (None, "depth", "deal"):
            return
        funding, channel = self.perpetuals[match[3]], f"push.{match[1]}"
        if match[1] == "ticker":
            self._push(stream, channel, match[3], self.data.ticker(funding))
        elif match[1] == "funding.rate":
            coming = funding.coming(self._exchange.now_ns)
            told = {"symbol": match[3], "rate": coming.rate, "nextSettleTime": milliseconds(coming.settles_ns)}
            self._push(stream, channel, match[3], told)
        else:
            price = funding.index() if match[1] == "index.price" else funding.mark()
            self._push(stream, channel, match[3], {"symbol": match[3], "price": price})

    def _push(self, stream: str, channel: str, symbol: str | None, data: Any) -> None:
        message: Json = {"channel": channel, "data": data, "ts": milliseconds(self._exchange.now_ns)}
        if symbol is not None:
            message["symbol"] = symbol
        self.publisher.publish(stream, msgspec.json.encode(message))
